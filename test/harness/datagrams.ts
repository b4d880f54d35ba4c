/** What tests of UDP share: where it happens, and how the kernel's rows compare with what the programs say. */

import type { Test } from 'tap'
import { type Actor, startActor, type Traffic } from './actor.ts'
import { createNetns } from './netns.ts'
import { veth } from './veth.ts'
import { type UdpRow, Watch } from './watch.ts'

export const GUESSED = 2 // enum flow_flags
export const [AF_INET, AF_INET6] = [2, 10]
export const LOOPBACK = '127.0.0.1'

/** Two network namespaces on a wire, 10.9.0.1 and fd09::1 on the server's end, 2 on the client's; or one twice. */
export async function stage(t: Test, wired = false) {
  const create = async () => {
    const netns = await createNetns()
    t.teardown(() => netns.close())
    return netns.path
  }
  const near = await create()
  const far = wired ? await create() : near
  if (wired) await veth(near, ['10.9.0.1/24', 'fd09::1/64'], far, ['10.9.0.2/24', 'fd09::2/64'])
  const actor = async (netns: string) => {
    const actor = await startActor(netns)
    t.teardown(() => actor.close())
    return actor
  }
  return { near, far, server: await actor(near), client: await actor(far), actor }
}

export async function watch(t: Test, options = {}): Promise<Watch> {
  const watch = await Watch.start(options)
  t.teardown(() => watch.close())
  return watch
}

/** The end of the window that runs now, and that of the next, which has what came after the first's end. */
export async function settle(seen: Watch): Promise<void> {
  await seen.windowEnd()
  await seen.windowEnd()
}

export function total(traffic: readonly Traffic[]): Traffic {
  const add = (field: keyof Traffic) => traffic.reduce((sum, each) => sum + each[field], 0)
  return {
    sent: add('sent'),
    bytes_sent: add('bytes_sent'),
    received: add('received'),
    bytes_received: add('bytes_received'),
  }
}

/** What the kernel counted, in the words of a program. */
export function counted(rows: readonly UdpRow[]): Traffic {
  const traffic = rows.map(row => ({
    sent: row.packets_sent,
    bytes_sent: row.bytes_sent,
    received: row.packets_rcvd,
    bytes_received: row.bytes_rcvd,
  }))
  return total(traffic)
}

const SILENCE: Traffic = { sent: 0, bytes_sent: 0, received: 0, bytes_received: 0 }
export const sends = (sent: number, bytes_sent: number): Traffic => ({ ...SILENCE, sent, bytes_sent })
export const gets = (received: number, bytes_received: number): Traffic => ({
  ...SILENCE,
  received,
  bytes_received,
})

/** Rows of one process in one role: each with its owner, no guess. */
export function owned(t: Test, rows: readonly UdpRow[], { pid }: Actor, role: number): UdpRow[] {
  const own = rows.filter(row => row.pid === pid)
  t.ok(
    own.every(row => row.comm === 'actor' && row.role === role && !(row.flags & GUESSED)),
    `owner and role ${role}`,
  )
  return own
}

export const conversations = (rows: readonly UdpRow[]) =>
  Map.groupBy(rows, row => `${row.cookie} ${row.local_port} ${row.remote_port} ${row.opened_ns}`)
