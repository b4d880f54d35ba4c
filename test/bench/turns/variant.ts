/** What is attached beside a load, for a fraction of a second at a time: loaded once, attached and detached at each turn. */

import { closeSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BpfObject, type Link, mountCgroup2, open, type ProgramStats } from 'bcc-bindings'
import { cgroup2In } from '../../../probe/kernel/cgroup.ts'
import { HEALTH_DEFAULT } from '../../../probe/signals/health_groups.ts'
import type { KernelOptions } from '../../../probe/signals/signal.ts'
import { compile } from '../../native/compile.ts'

const ROOT = join(import.meta.dirname, '../../..')

const OPTIONS: KernelOptions = {
  maxFlows: 131_072,
  maxUdpFlows: 65_536,
  ringBytes: 8 * 2 ** 20,
  udp: 'calls',
  rtt: 'calls',
  health: HEALTH_DEFAULT,
}

export interface Variant {
  readonly name: string
  attach(): void
  detach(): void
  /** Once, while it is attached: connections that are older. */
  scan(): Promise<void>
  stats(): readonly ProgramStats[]
  close(): void
}

/** The programs' hooks with next to nothing in them. */
export function emptyHooks(): Variant {
  const object = open(compile('bare', join(import.meta.dirname, '../bpf')))
  object.load()
  const cgroup = cgroup2In({ root: '/' }) ?? mountCgroup2()
  let links: Link[] = []
  return {
    name: 'the same hooks with nothing in them',
    attach() {
      links = object.programs.map(({ name, section }) =>
        object.attach(name, /^(cgroup|sockops)/.test(section) ? { cgroup } : {}),
      )
    },
    detach() {
      for (const link of links.splice(0)) link.detach()
    },
    scan: async () => {},
    stats: () => object.programStats(),
    close() {
      object.close()
      if (typeof cgroup === 'number') closeSync(cgroup)
    },
  }
}

/** The probe's kernel side with these options. @param tree a built clone, this one or another state of the project */
export async function kernelSide(
  name: string,
  options: Partial<KernelOptions> = {},
  tree = ROOT,
): Promise<Variant> {
  const part = async <T>(path: string): Promise<T> => import(pathToFileURL(join(tree, path)).href)
  if (!existsSync(join(tree, 'probe/kernel/load.ts'))) throw new Error(`${tree} is no clone of this project`)
  const { Wanted } = await part<typeof import('../../../probe/kernel/wanted.ts')>('probe/kernel/wanted.ts')
  const { load } = await part<typeof import('../../../probe/kernel/load.ts')>('probe/kernel/load.ts')
  const { attach, scan } =
    await part<typeof import('../../../probe/kernel/attach.ts')>('probe/kernel/attach.ts')
  const wanted = new Wanted({ ...OPTIONS, ...options })
  const object: BpfObject = load(wanted)
  const names = wanted.signals.flatMap(({ ring }) => (ring ? [ring.record] : []))
  const rings = object.rings(names, () => {})
  let links: Link[] = []
  return {
    name,
    attach() {
      links = attach(object, wanted)
    },
    detach() {
      for (const link of links.splice(0)) link.detach()
      rings.drain()
    },
    scan: () => scan(object, wanted, '/proc'),
    stats: () => object.programStats(),
    close: () => object.close(),
  }
}
