/** The same traffic told by probes that send flows and by probes that fold them. */

import t from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { GROUPS, OPT_IN } from '../../collector/metrics/metric.ts'
import { needs } from '../harness/skip.ts'
import { freePort, openSite } from '../harness/sockflux.ts'
import { ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'
import { client, serve, startPair } from './pair.ts'
import { type Row, written } from './two_pods.ts'

const skip = needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss', 'containerd')

/** By the number of the endpoint that each sends to. */
const PROBES = [[], ['--fold'], ['--rtt', 'smoothed'], ['--rtt', 'smoothed', '--fold']]
const SUFFIXES = ['num_flows', 'rtt', 'rtt_variance', 'rtt_dist', 'traffic', 'tcp', 'connect']
const MEASUREMENTS = SUFFIXES.flatMap(suffix => [`container:${suffix}`, `pod:${suffix}`])
const [TCP, UDP] = ['80', '82']
const SLOW = 5

/** How long connecting took, each probe tells by the clock as its own hooks read it. */
const without = (measurement: string, row: Row): Row =>
  measurement.endsWith(':connect') ? { ...row, mean: '', p95: '', max: '' } : row

/** An act that began and settled inside one window, with a silent one before: all probes see the same of it. */
async function inOneWindow(act: () => Promise<unknown>): Promise<number> {
  for (let attempt = 0; attempt < SLOW; attempt++) {
    await earlyInWindow()
    const window = await earlyInWindow()
    await act()
    if (windowNow() === window) return window
  }
  throw new Error(`no traffic fitted into one window in ${SLOW} attempts`)
}

t.test('the samples of containers and pods are the same, with --fold and without', { skip }, async t => {
  const pair = await startPair({ rttMs: 5 })
  t.teardown(() => pair.close())
  const { node, shop, cart } = pair
  const site = await openSite()
  t.teardown(() => site.close())
  const endpoints = await Promise.all(PROBES.map(async () => `tcp://127.0.0.1:${await freePort()}`))
  const listen = endpoints.flatMap(endpoint => ['--listen', endpoint])
  const groups = GROUPS.filter(group => group === 'process' || !OPT_IN.includes(group))
  await site.collector([...listen, '--metrics', groups.join(',')])
  await serve(node, cart.pod.containers.main, cart.address, TCP)
  await serve(node, cart.pod.containers.idle, cart.address, UDP, '--transport', 'udp')
  const tcp = client(node, shop.pod.containers.main)
  const udp = node.start(shop.pod.containers.idle, ['/bin/load', 'client', '--transport', 'udp'])
  const state = ['--containerd-state', node.containerd.stateDir]
  for (const [ifid, flags] of PROBES.entries()) await site.probe([...state, ...flags], [endpoints[ifid]!])
  await earlyInWindow() // the first window of a run is not written

  const settled = () =>
    until('the last acknowledgement', async () => {
      const sockets = [...(await ss({ netns: shop.pod.netns })), ...(await ss({ netns: cart.pod.netns }))]
      return sockets.every(({ bytesAcked, bytesSent }) => bytesAcked >= bytesSent)
    })
  const both = async (count: number, verb: string, answer: object) => {
    t.match(await tcp.ask(`${verb} ${count} ${cart.address} ${TCP}`), answer)
    t.match(await udp.ask(`${verb} ${count} ${cart.address} ${UDP}`), answer)
    await settled()
  }
  const windows = [
    await inOneWindow(() => both(10, 'open', { opened: 10 })),
    await inOneWindow(async () => {
      await Promise.all([tcp.ask('echo 4 3000'), udp.ask('echo 4 300')])
      await settled()
    }),
    await inOneWindow(() => tcp.ask(`churn 50 ${cart.address} ${TCP}`).then(settled)),
    await inOneWindow(() => Promise.all([tcp.ask('close'), udp.ask('close')])),
  ]

  const rows = await written(site, windows.at(-1)! + 1)
  const ids = [shop, cart].flatMap(({ pod }) => Object.values(pod.containers).map(({ id }) => shortId(id)))
  const isOurs = ({ container, pod, second }: Row) =>
    windows.includes(Number(second)) &&
    (container ? ids.includes(String(container)) : [shop.pod.name, cart.pod.name].includes(String(pod)))
  for (const measurement of MEASUREMENTS) {
    const ours = (await rows(measurement)).filter(isOurs)
    const [flows, folded, smoothedFlows, smoothedFolded] = PROBES.map((_, probe) =>
      ours
        .filter(({ ifid }) => ifid === String(probe))
        .map(({ ifid: _, ...row }) => JSON.stringify(without(measurement, row)))
        .sort(),
    )
    t.ok(flows!.length > 0, `${measurement}: ${flows!.length} samples`)
    t.same(folded, flows, 'the same')
    t.same(smoothedFolded, smoothedFlows, 'the same of smoothed round trips')
  }
  const byProcess = await rows('process:num_flows')
  const ifids = new Set(byProcess.map(({ ifid }) => ifid))
  t.same([...ifids].sort(), ['0', '2'], 'of processes only flows can tell')
  t.same(await site.losses(), {}, 'nothing was lost')
})
