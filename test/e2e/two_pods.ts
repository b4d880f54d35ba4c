/** Two pods that talk, a collector that writes what they do, and somebody who writes down what the probe tells. */

import type { Test } from 'tap'
import { Router } from 'zeromq'
import { shortId } from '../../collector/fold/names.ts'
import { encodeAck } from '../../wire/ack.ts'
import { decode, type Message, WINDOW } from '../../wire/message.ts'
import { loadBinary } from '../harness/binary.ts'
import { type Closable, closable } from '../harness/cleanup.ts'
import { rowsOf } from '../harness/flow_rows.ts'
import { inNetns } from '../harness/netns.ts'
import { type Child, start } from '../harness/process.ts'
import { freePort, openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { netnsOf } from '../harness/watch.ts'
import { earlyInWindow } from '../harness/windows.ts'
import { type Callbacks, RTT_CB_FLAG, readCallbacks } from '../kernel/bpf/callback.ts'
import { client, connected, type Pair, startPair } from './pair.ts'

export const [BULK, ECHO, NOBODY] = [80, 81, 9] as const
export const MEGABYTES_100 = 100_000_000
export type Row = Record<string, unknown>

export interface Recording {
  readonly endpoint: string
  readonly messages: Message[]
}

/** All that a probe sends, and its windows acknowledged. */
function record(): Promise<Recording & Closable> {
  return closable(async cleanup => {
    const router = new Router({ linger: 0 })
    const endpoint = `tcp://127.0.0.1:${await freePort()}`
    const messages: Message[] = []
    await router.bind(endpoint)
    const read = async () => {
      for await (const [route, ...frames] of router) {
        const message = decode(frames)
        messages.push(message)
        if (message.topic === WINDOW) await router.send([route!, ...encodeAck(message.head)])
      }
    }
    const reading = read()
    cleanup.defer(() => reading)
    cleanup.defer(() => router.close())
    return { endpoint, messages }
  })
}

/** What is told of containers, by their name in the pair: `shop main`. */
export interface Stage {
  readonly pair: Pair
  readonly site: Site
  readonly recording: Recording
  readonly read: Callbacks
  readonly ids: ReadonlyMap<string, string>
}

export async function stage(t: Test): Promise<Stage> {
  const pair = await startPair({ rttMs: 20 })
  t.teardown(() => pair.close())
  const site = await openSite()
  t.teardown(() => site.close())
  const recording = await record()
  t.teardown(() => recording.close())
  const read = await readCallbacks({ ownFlags: RTT_CB_FLAG })
  t.teardown(() => read.close())
  read.watch(pair.shop.pod.netns)
  read.watch(pair.cart.pod.netns)
  await site.collector()
  const probe = ['--containerd-state', pair.node.containerd.stateDir, '--rtt', 'samples']
  await site.probe(probe, [site.endpoint, recording.endpoint])
  const ids = new Map(
    [pair.shop, pair.cart].flatMap(({ pod }) =>
      Object.values(pod.containers).map(({ name, id }) => [`${pod.name.slice(0, 4)} ${name}`, shortId(id)]),
    ),
  )
  return { pair, site, recording, read, ids }
}

/**
 * `shop main` moves 100 MB each way to and from `cart main`; `shop idle` and a process of the host in the same
 * namespace talk to `cart idle` over 20 ms, and `shop idle` to a port where nobody listens.
 * @returns how long its connections took, from the first to the last, in milliseconds
 */
export async function work(t: Test, { node, shop, cart }: Pair): Promise<number> {
  const host = start(inNetns(shop.pod.netns, [await loadBinary(), 'client']))
  t.teardown(() => host.close())
  const [bulk, talk] = [client(node, shop.pod.containers.main), client(node, shop.pod.containers.idle)]
  await earlyInWindow()
  await earlyInWindow() // the first window of a run is not written
  t.match(await bulk.ask(`open 8 ${cart.pod.ip} ${BULK}`), { opened: 8 })
  const moved = bulk.ask(`echo 1 ${MEGABYTES_100 / 8}`)
  const startedMs = performance.now()
  t.match(await talk.ask(`open 5 ${cart.address} ${ECHO}`), { opened: 5 })
  const tookMs = performance.now() - startedMs
  t.match(await talk.ask('echo 8 1000'), { echoed: 40 })
  t.match(await talk.ask(`open 3 ${cart.address} ${NOBODY}`), { failed: 3 })
  t.match(await host.ask(`open 2 ${cart.address} ${ECHO}`), { opened: 2 })
  t.match(await host.ask('echo 4 500'), { echoed: 8 })
  t.match(await moved, { echoed: 8 })
  await closed(t, talk, 'reset', 5)
  await closed(t, bulk, 'close', 8)
  await closed(t, host, 'close', 2)
  await connected(cart.pod.netns, 0)
  return tookMs
}

const closed = async (t: Test, load: Child, how: 'close' | 'reset', count: number) =>
  t.match(await load.ask(how), { closed: count })

/** All rows of a measurement, once those of the window that runs now are there. */
export async function written(site: Site, last: number) {
  const isThere = `select * from "host:num_flows" where epoch(time) >= ${last}`
  await until(`window ${last}`, async () => (await site.query(isThere).catch(() => [])).length > 0, 20_000)
  return (measurement: string): Promise<Row[]> =>
    site.query(`select *, epoch(time) as second from "${measurement}" where epoch(time) <= ${last}
      order by time`)
}
export type Written = Awaited<ReturnType<typeof written>>

/** Connections that were opened in the pods' network namespaces by what is in no container. */
export function hostOpened({ recording, pair }: Stage): number {
  const namespaces = [pair.shop, pair.cart].map(({ pod }) => netnsOf(pod.netns))
  return recording.messages.reduce((total, message) => {
    if (!('parts' in message)) return total
    const rows = message.parts
      .filter(({ layout }) => layout.name === 'tcp_flow')
      .flatMap(({ layout, bytes }) => rowsOf(layout, bytes, message.head.window))
    const own = rows.filter(
      ({ netns, hierarchy, cgroup, reported_ns }) =>
        namespaces.includes(netns) &&
        reported_ns === 0 &&
        message.names.cgroups[`${hierarchy}:${cgroup}`] === undefined,
    )
    return total + own.length
  }, 0)
}
