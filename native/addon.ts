import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import type { BpfError } from './error.ts'
import type { Entries, Layout, MapInfo, Program, ProgramStats } from './shapes.ts'

export type OnBatch = (ring: string, batch: Buffer, used: number) => void

/** The addon's classes; their arguments are not checked again there. */
export interface NativeObject {
  programs(): Program[]
  programStats(): ProgramStats[]
  setGlobal(name: string, value: bigint): void
  resizeMap(name: string, maxEntries: number): void
  setAutoload(program: string, on: boolean): void
  load(): void
  attach(
    program: string,
    cgroup: string | number | undefined,
    map: string | undefined,
    first: boolean,
  ): number
  detach(link: number): void
  iterate(program: string, map: string | undefined, chunk: number, netns: string | undefined): Promise<Buffer>
  run(program: string, context: Buffer): Promise<number>
  layout(struct: string): Layout
  enumerators(name: string): Record<string, number>
  maps(): MapInfo[]
  mapInfo(map: string): MapInfo
  mapView(map: string): Buffer
  mapGet(map: string, key: Buffer): Buffer | undefined
  mapSet(map: string, key: Buffer, value: Buffer): void
  mapDelete(map: string, key: Buffer): boolean
  mapEntries(map: string): Entries
  growMap(
    array: string,
    first: number,
    count: number,
    entries: number | undefined,
    as: string | undefined,
  ): Promise<number>
  close(): void
}

export interface NativeRings {
  drain(): number
  badRecords(): number
  close(): void
}

export interface Addon {
  init(errorClass: typeof BpfError): void
  stop(): void
  bootTime(): bigint
  tickTime(): bigint
  mountCgroup2(): number
  detachBuffer(memory: ArrayBufferLike): void
  keepCapabilities(kept: bigint): void
  sendDatagram(path: string, text: string): void
  Object: new (path: string) => NativeObject
  Rings: new (object: NativeObject, names: readonly string[], onBatch: OnBatch) => NativeRings
}

/** Beside this file, or one folder up when tsc has put this file into `dist`. */
export function loadAddon(): Addon {
  const here = import.meta.dirname
  const places = [here, join(here, '..')].map(dir => join(dir, 'build/Release/bcc_bindings.node'))
  const built = places.find(place => existsSync(place))
  if (!built) throw new Error(`the addon is not built (no ${places[0]}): run npm run build in bcc-bindings`)
  return createRequire(import.meta.url)(built)
}
