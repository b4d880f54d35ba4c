import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { type Influx, startInflux } from '../harness/influx.ts'
import { Ledger, type Role } from '../harness/ledger.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'
import { client, connected, type End, type Pair, serve, startPair } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss', 'containerd', 'influxd')
const ROLES: readonly Role[] = ['client', 'server']
const ECHO = '80'
/** Ports of a server that its own container connects to, over loopback: those conversations live less than 1 ms. */
const LOOPBACK = ['127.0.0.1', '8000', '4'] as const

/** What the load does before the probe starts, and after; what it must count is in the ledger. */
async function workload({ node, shop, cart }: Pair, ledger: Ledger) {
  const { main } = shop.pod.containers
  await serve(node, main, shop.address, ECHO)
  await serve(node, cart.pod.containers.main, cart.address, ECHO)
  await serve(node, main, LOOPBACK[0], LOOPBACK[1], '--ports', LOOPBACK[2], '--forks', '2')
  const [old, long, brief, back] = [
    client(node, main),
    client(node, main),
    client(node, main),
    client(node, cart.pod.containers.main),
  ]
  const both = async (sockets: number) => {
    await connected(shop.pod.netns, sockets)
    await connected(cart.pod.netns, sockets)
  }
  const older = await ledger.opens('shop', 'cart', 3, async () => {
    await old.ask(`open 3 ${cart.address} ${ECHO}`)
    await both(3)
  })
  await ledger.opens('cart', 'shop', 2, async () => {
    await back.ask(`open 2 ${shop.address} ${ECHO}`)
    await both(5)
  })
  return async () => {
    await earlyInWindow()
    await ledger.passes('shop', 'shop', 7, () => brief.ask(`churn 7 ${LOOPBACK.join(' ')}`))
    const longer = await ledger.opens('shop', 'cart', 4, async () => {
      await long.ask(`open 4 ${cart.address} ${ECHO}`)
      await both(9)
    })
    await earlyInWindow()
    await ledger.passes('cart', 'shop', 5, async () => {
      await back.ask(`churn 5 ${shop.address} ${ECHO}`)
      await both(9)
    })
    await earlyInWindow()
    await ledger.passes('shop', 'cart', 6, async () => {
      await brief.ask(`open 6 ${cart.address} ${ECHO}`)
      await brief.ask('reset')
      await both(9)
    })
    await earlyInWindow()
    await earlyInWindow()
    await ledger.closes(longer, async () => {
      await long.ask('close')
      await both(5)
    })
    await earlyInWindow()
    await ledger.closes(older, async () => {
      await old.ask('close')
      await both(2)
    })
    return (await earlyInWindow()) + 1
  }
}

/** The samples of one subject in these windows, in their order. */
function sampler(influx: Influx, first: number, last: number) {
  return (measurement: string, tag: string, value: string) => {
    const where = `"${tag}" = '${value}' and time >= ${first}s and time <= ${last}s`
    return influx.query(`select * from "${measurement}" where ${where} order by time`, 'sockflux')
  }
}

type Samples = ReturnType<typeof sampler>

async function checkFlows(t: Test, points: Awaited<ReturnType<Samples>>, who: string, ledger: Ledger) {
  for (const point of points)
    for (const role of ROLES) {
      const { least, most } = ledger.flows(who, role, point['time'] as number)
      const flows = point[`as_${role}`] as number
      const what = `${who} has ${flows} flows as ${role} in window ${point['time']}`
      t.ok(least <= flows && flows <= most, what, { least, most })
      if (least < most) t.comment(`the machine was slow: ${what}, of ${least} to ${most}`)
    }
}

async function checkEnd(t: Test, { pod }: End, who: string, windows: number[], of: Samples, ledger: Ledger) {
  const { main, idle } = pod.containers
  const times = (points: Awaited<ReturnType<Samples>>) => points.map(({ time }) => time)
  const container = await of('container:num_flows', 'container', shortId(main.id))
  t.same(times(container), windows, 'one sample of the container in each window')
  await checkFlows(t, container, who, ledger)
  const whole = await of('pod:num_flows', 'pod', pod.name)
  t.same(times(whole), windows, 'one sample of the pod in each window')
  await checkFlows(t, whole, who, ledger)
  const idles = await of('container:num_flows', 'container', shortId(idle.id))
  t.same(times(idles), windows, 'one sample of the idle container in each window')
  t.ok(
    idles.every(point => point['as_client'] === 0 && point['as_server'] === 0),
    'which has 0 and 0',
  )
  t.same(await of('container:rtt', 'container', shortId(idle.id)), [], 'and no RTT')
  const counts = await of('pod:num_containers', 'pod', pod.name)
  t.same(
    counts.map(point => [point['time'], point['num_containers'], point['namespace']]),
    windows.map(time => [time, 2, 'trade']),
    'the idle container is counted, the sandbox is not',
  )
  t.same(await of('container:num_flows', 'container', shortId(pod.sandboxId)), [], 'nor has it samples')
}

t.test('two pods over 20 ms: flows are exact in both roles, window by window', { skip }, async t => {
  const influx = await startInflux()
  t.teardown(() => influx.remove())
  const pair = await startPair({ rttMs: 20 })
  t.teardown(() => pair.close())
  const site = await openSite()
  t.teardown(() => site.close())
  const ledger = new Ledger()
  const goOn = await workload(pair, ledger)
  await site.collector(['--influx-url', influx.url])
  await site.probe(['--containerd-state', pair.node.containerd.stateDir])
  const first = windowNow() + 1
  const last = await goOn()
  const samples = sampler(influx, first, last)
  const { idle } = pair.cart.pod.containers
  const windows = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  await until('the last window in InfluxDB', async () => {
    const points = await samples('container:num_flows', 'container', shortId(idle.id))
    return points.at(-1)?.['time'] === last
  })
  await checkEnd(t, pair.shop, 'shop', windows, samples, ledger)
  await checkEnd(t, pair.cart, 'cart', windows, samples, ledger)
  t.same(await site.losses(), {}, 'nothing was lost')
})
