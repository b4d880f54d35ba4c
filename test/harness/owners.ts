/** What tests of ownership share: processes in cgroups of their own, and who owns a socket. */

import type { Test } from 'tap'
import type { KernelOptions } from '../../probe/signals/signal.ts'
import { type Actor, type Socket, startActor } from './actor.ts'
import { removeCgroup } from './cgroup.ts'
import { HANDED, type Row } from './flow_rows.ts'
import { createNetns } from './netns.ts'
import { Watch } from './watch.ts'

/** How the probe learns who accepted a connection. `accept`: what that process does for it. */
export const WAYS = [
  {
    way: 'its first use tells',
    options: {},
    later: false,
    async accept({ actor }: { readonly actor: Actor }, listener: Socket): Promise<Socket> {
      const socket = await actor.socket(`accept ${listener.fd}`)
      await actor.do(`send ${socket.fd} 1`)
      return socket
    },
  },
  {
    way: 'accept(2) tells, as before Linux 6.3',
    options: { without: ['use'] },
    later: false,
    accept: ({ actor }: { readonly actor: Actor }, listener: Socket) => actor.socket(`accept ${listener.fd}`),
  },
  {
    way: 'it is not used, its descriptor tells at the end of a window',
    options: {},
    later: true,
    accept: ({ actor }: { readonly actor: Actor }, listener: Socket) => actor.socket(`accept ${listener.fd}`),
  },
] as const

export const GUESSED = 2 // enum flow_flags
const base = `/sockflux-owner-${process.pid}`

/** A network namespace with a listening server and a client, each a process in a cgroup of its own. */
export async function stage(t: Test) {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  t.teardown(() => removeCgroup(base))
  let cgroups = 0
  const apart = async (actor: Actor) => ({ actor, pid: actor.pid, cgroup: await enter(actor) })
  const enter = (actor: Actor) => actor.enter(`${base}/${++cgroups}`)
  const process = async () => {
    const actor = await startActor(netns.path)
    t.teardown(() => actor.close())
    return apart(actor)
  }
  const [server, client] = [await process(), await process()]
  const listener = await server.actor.socket('listen 127.0.0.1 8000')
  return { netns: netns.path, process, apart, server, client, listener }
}
export type Process = Awaited<ReturnType<Awaited<ReturnType<typeof stage>>['process']>>

export async function watch(t: Test, options: Partial<KernelOptions> = {}): Promise<Watch> {
  const watch = await Watch.start(options)
  t.teardown(() => watch.close())
  return watch
}

/** Who owns a socket by its last row until the end of this window: one that closed may have had it in the window before. */
export async function lookup(seen: Watch, netns: string) {
  const { index } = await seen.windowEnd()
  // a former owner's row may be read after the pass
  const rows = seen.in(netns).filter(row => row.window <= index && !(row.flags & HANDED))
  return ({ port, peer }: Socket) => rows.findLast(row => row.local_port === port && row.remote_port === peer)
}

export function isOwned(
  t: Test,
  row: Row | undefined,
  { pid, cgroup }: Process,
  what: string,
  comm = 'actor',
) {
  t.match(row, { pid, cgroup, hierarchy: 0, comm }, what)
  t.notOk(row && row.flags & GUESSED, `${what}, and that is no guess`)
}

export async function connect(client: Process): Promise<Socket> {
  return client.actor.socket('connect 127.0.0.1 8000')
}
