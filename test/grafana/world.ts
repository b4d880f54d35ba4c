/** What the dashboards show: two pods that talk, and a host that exists only as messages and has troubles. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Dealer } from 'zeromq'
import { HEALTH_GROUPS } from '../../probe/signals/health_groups.ts'
import { encodeWindow, type WindowNames } from '../../wire/message.ts'
import { client, connected, type Pair, serve, startPair } from '../e2e/pair.ts'
import { bundleOf } from '../harness/bundle.ts'
import { type Closable, closable } from '../harness/cleanup.ts'
import { type Influx, startInflux } from '../harness/influx.ts'
import type { Thing } from '../harness/kubernetes/api_server.ts'
import { pod, service, slice } from '../harness/kubernetes/objects.ts'
import { Ledger } from '../harness/ledger.ts'
import type { Child } from '../harness/process.ts'
import { type Prometheus, startPrometheus } from '../harness/prometheus.ts'
import { scratch } from '../harness/scratch.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'

export const [HOST, TROUBLED] = ['node-1', 'node-2']
export const NAMESPACE = 'market'
const [ECHO, NOBODY] = ['80', '9']
/** Series of a measurement: more than this machine has, fewer than the troubled host would have. */
const MAX_SERIES = 200
const CONTAINERS = 240
const GROUPS = `flows,rtt,rtt_dist,traffic,tcp,connect,process,workload,service,node,peer,host,stats,${HEALTH_GROUPS}`

/** What the troubled host reports, in this order. */
export const REPORTED = { 'queue/full': 7, 'window/skipped': 2 } as const
/** Connects that fail in each round. */
export const FAILED = 3
export const SHOP_FLOWS = 4
export const CART_FLOWS = 2

export interface World {
  readonly pair: Pair
  readonly site: Site
  readonly probe: Child
  readonly influx: Influx
  readonly prometheus: Prometheus
  readonly ledger: Ledger
  readonly rounds: number
  /** Seconds since the epoch: the first and the last window, and one in which nothing came or went. */
  readonly from: number
  readonly to: number
  readonly steady: number
  /** Bytes that the main container of the shop sent. */
  readonly sent: number
}

/** The two pods as a cluster has them, and a Service of the second. */
function clusterOf({ shop, cart }: Pair): Thing[] {
  const podIn = ({ pod: { uid }, address }: Pair['shop'], name: string) =>
    pod({
      ...{ name: `${name}-0`, namespace: NAMESPACE, uid, ip: address, node: HOST },
      owner: ['StatefulSet', name],
    })
  return [
    ...[podIn(shop, 'shop'), podIn(cart, 'cart')],
    service('cart', '10.96.0.9', [{ name: 'echo', port: Number(ECHO) }], {}, NAMESPACE),
    slice('cart-x', 'cart', [cart.address], [{ name: 'echo', port: Number(ECHO) }], NAMESPACE),
  ]
}

/** Sends windows of a host without flows, whose containers are more than the collector has series for. */
async function trouble(endpoint: string, windows: number): Promise<void> {
  const dealer = new Dealer({ linger: 1000 })
  dealer.connect(endpoint)
  const containers = Object.fromEntries(
    Array.from({ length: CONTAINERS }, (_, at) => [
      at.toString(16).padStart(12, 'e').padEnd(64, '0'),
      { runtime: 'cri' },
    ]),
  )
  const names: WindowNames = { cgroups: {}, containers, pods: {}, running: Object.keys(containers) }
  for (let window = 0; window < windows; window++) {
    const time = await earlyInWindow()
    const head = {
      ...{ host: TROUBLED, boot: 'b', probe: 'p', window, start_ns: '1', end_ns: '2', time, interval: 1 },
      // the message before the last one never comes
      sequence: window === windows - 1 ? window + 1 : window,
      ...{ clock_offset_ns: '0', partial: false, lost: window === 0 ? {} : REPORTED },
    }
    await dealer.send(encodeWindow(head, bundleOf(), names))
  }
  dealer.close()
}

/** What a client sends to its servers, in one round. */
const loadOf = (round: number) => ({ echoes: 2 + (round % 5), bytes: 10_000 * (1 + (round % 7)) })
const BACK = { echoes: 2, bytes: 5000 }

/** @param rounds of talk, of about two seconds each */
async function talk({ node, shop, cart }: Pair, ledger: Ledger, rounds: number) {
  const { main, idle } = shop.pod.containers
  const [long, brief, back] = [client(node, main), client(node, idle), client(node, cart.pod.containers.main)]
  await earlyInWindow()
  await ledger.opens('shop', 'cart', SHOP_FLOWS, () => long.ask(`open ${SHOP_FLOWS} ${cart.address} ${ECHO}`))
  await ledger.opens('cart', 'shop', CART_FLOWS, () => back.ask(`open ${CART_FLOWS} ${shop.address} ${ECHO}`))
  // a counter's first sample has nothing to be compared with: its series begin before what is to be counted
  await brief.ask(`open 1 ${cart.address} ${ECHO}`)
  await brief.ask('close')
  await earlyInWindow()
  let sent = 0
  const backTalk = async () => {
    await back.ask(`echo ${BACK.echoes} ${BACK.bytes}`)
    sent += CART_FLOWS * BACK.echoes * BACK.bytes
  }
  for (let round = 0; round < rounds; round++) {
    const { echoes, bytes } = loadOf(round)
    await earlyInWindow()
    await long.ask(`echo ${echoes} ${bytes}`)
    sent += SHOP_FLOWS * echoes * bytes
    await backTalk()
    await brief.ask(`open 3 ${cart.address} ${ECHO}`)
    await brief.ask(`echo 2 ${1000 * (1 + (round % 3))}`)
    await brief.ask(round % 2 === 0 ? 'close' : 'reset')
    await brief.ask(`open ${FAILED} ${cart.address} ${NOBODY}`)
    await earlyInWindow()
  }
  await connected(shop.pod.netns, SHOP_FLOWS + CART_FLOWS)
  await earlyInWindow()
  const steady = await earlyInWindow()
  await backTalk()
  await earlyInWindow()
  return { steady, sent }
}

/** Starts it all, lets it run, and leaves it running. */
export function openWorld({ rounds }: { rounds: number }): Promise<World & Closable> {
  return closable(async cleanup => {
    const influx = await startInflux()
    cleanup.defer(() => influx.remove())
    const site = await openSite()
    cleanup.defer(() => site.close())
    const flags = ['--influx-url', influx.url, '--prometheus', '127.0.0.1:0', '--metrics', GROUPS]
    const manifests = await scratch(cleanup, 'manifests')
    const more = ['--max-series', String(MAX_SERIES), '--cluster-from', manifests]
    const collector = await site.collector([...flags, ...more])
    const [pair, prometheus] = await Promise.all([
      startPair({ rttMs: 20, dropEvery: 60, namespace: NAMESPACE }),
      startPrometheus(/"http":"([^"]+)"/.exec(collector.stderr)![1]!),
    ])
    cleanup.defer(() => pair.close())
    cleanup.defer(() => prometheus.close())
    writeFileSync(join(manifests, 'all.json'), JSON.stringify({ kind: 'List', items: clusterOf(pair) }))
    await until('the pods', async () => (await site.stats()).cluster?.['Pod'] === 2)
    const state = ['--containerd-state', pair.node.containerd.stateDir]
    const probe = await site.probe([...state, '--host', HOST, '--health', HEALTH_GROUPS.join(',')])
    const from = windowNow()
    await serve(pair.node, pair.shop.pod.containers.main, pair.shop.address, ECHO)
    await serve(pair.node, pair.cart.pod.containers.main, pair.cart.address, ECHO)
    const ledger = new Ledger()
    const talking = talk(pair, ledger, rounds)
    await earlyInWindow()
    await earlyInWindow()
    const [talked] = await Promise.all([talking, trouble(site.endpoint, 4)])
    await until(
      'what the collector tells of itself, twice since',
      async () => {
        const rows = await influx.query(
          `select rows from "collector:stats" where time > ${from}s`,
          'sockflux',
        )
        return rows.length > 2
      },
      40_000,
    )
    return { pair, site, probe, influx, prometheus, ledger, rounds, from, to: windowNow(), ...talked }
  })
}
