/** The BPF object: its path, and how it is loaded without the programs that the kernel refuses. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BpfError, type BpfObject, open } from 'bcc-bindings'
import { SIGNALS } from '../signals/index.ts'
import { explainLoad } from './explain.ts'
import { limitRoom } from './room/room.ts'
import { sizesOf } from './sizes.ts'
import type { Wanted } from './wanted.ts'

/** The object is in the project's `build/`, for the source tree and for `dist/`. */
export function objectPath(): string {
  for (const up of ['../..', '../../..']) {
    const path = join(import.meta.dirname, up, 'build/bpf/probe.bpf.o')
    if (existsSync(path)) return path
  }
  throw new Error('build/bpf/probe.bpf.o is missing: run `make build`')
}

/** Loads again without the signals that are refused, until the rest is loaded. */
export function load(wanted: Wanted): BpfObject {
  for (;;) {
    const object = open(objectPath())
    try {
      prepare(object, wanted)
      object.load()
      return object
    } catch (error) {
      object.close()
      if (!(error instanceof BpfError)) throw error
      const refused = signalOf(error)
      if (!refused || !wanted.refuse(refused, sentenceOf(error))) throw explained(error)
    }
  }
}

function prepare(object: BpfObject, wanted: Wanted): void {
  const { options } = wanted
  for (const signal of SIGNALS) {
    const has = wanted.has(signal)
    for (const [name, value] of Object.entries(signal.globals?.(options, has) ?? {}))
      object.setGlobal(name, value)
    for (const [name, entries] of Object.entries(signal.maps?.(sizesOf(object, wanted, signal)) ?? {}))
      object.resizeMap(name, entries)
    for (const program of Object.keys(signal.programs)) object.setAutoload(program, has)
  }
  limitRoom(object, wanted)
}

/** The signal whose program the kernel refused, from libbpf's log. */
function signalOf({ message, log = '' }: BpfError) {
  const program = /prog '(\w+)': failed/.exec(log)?.[1] ?? /prog '(\w+)'/.exec(message)?.[1]
  return program === undefined ? undefined : SIGNALS.find(({ programs }) => Object.hasOwn(programs, program))
}

export const sentenceOf = (error: BpfError): string => explainLoad(error) ?? error.message

/** The error with the doctor's sentence, if there is one. */
export function explained(error: unknown): unknown {
  const sentence = error instanceof BpfError ? explainLoad(error) : undefined
  return sentence === undefined ? error : new Error(sentence, { cause: error })
}
