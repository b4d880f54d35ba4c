/** Attaches and runs the programs of a loaded object, as their signals describe. */

import { closeSync } from 'node:fs'
import { BpfError, type BpfObject, type Link, mountCgroup2 } from 'bcc-bindings'
import type { Runs, Signal } from '../signals/signal.ts'
import { cgroup2In } from './cgroup.ts'
import { sentenceOf } from './load.ts'
import { isGone, networkNamespaces } from './netns.ts'
import type { Wanted } from './wanted.ts'

const programsOf = ({ programs }: Signal, runs: Runs): string[] =>
  Object.entries(programs).flatMap(([program, when]) => (when === runs ? [program] : []))

/** All programs of a signal, or none. */
export function attach(object: BpfObject, wanted: Wanted): Link[] {
  const attached: Link[] = []
  const cgroup = cgroup2In({ root: '/' }) ?? mountOwn()
  try {
    for (const signal of wanted.signals)
      if (wanted.has(signal)) attached.push(...attachSignal(object, wanted, signal, cgroup)) // what it needs was not refused
  } finally {
    if (typeof cgroup === 'number') closeSync(cgroup)
  }
  return attached
}

function attachSignal(
  object: BpfObject,
  wanted: Wanted,
  signal: Signal,
  cgroup: string | number | undefined,
): Link[] {
  const links: Link[] = []
  const target = cgroup === undefined ? {} : { cgroup }
  try {
    for (const program of programsOf(signal, 'event')) links.push(object.attach(program))
    for (const program of programsOf(signal, 'cgroup')) links.push(object.attach(program, target))
    for (const program of programsOf(signal, 'cgroup_first'))
      links.push(object.attach(program, { ...target, first: true }))
    return links
  } catch (error) {
    for (const link of links) link.detach()
    if (!(error instanceof BpfError) || !wanted.refuse(signal, sentenceOf(error))) throw error
    return []
  }
}

/** Mounts cgroup2 where none is mounted; undefined where that is not allowed. */
function mountOwn(): number | undefined {
  try {
    return mountCgroup2()
  } catch (error) {
    if (error instanceof BpfError) return undefined
    throw error
  }
}

/** Runs the iterators over all descriptors of this host. */
export async function iterate(
  object: BpfObject,
  { signals }: Wanted,
  which: 'scan' | 'user_scan',
): Promise<void> {
  for (const signal of signals) for (const program of programsOf(signal, which)) await object.iterate(program)
}

/** Sockets that existed before the programs were attached. @param proc where procfs is mounted */
export async function scan(object: BpfObject, wanted: Wanted, proc: string): Promise<void> {
  await iterate(object, wanted, 'scan')
  for (const netns of networkNamespaces(proc))
    for (const signal of wanted.signals)
      for (const program of programsOf(signal, 'netns_scan'))
        await object.iterate(program, { netns }).catch((error: unknown) => {
          // setns(2) to another network namespace
          if (error instanceof BpfError && error.code === 'EPERM')
            wanted.refuse(signal, 'other network namespaces need CAP_SYS_ADMIN')
          else if (!isGone(error)) throw error
        })
}
