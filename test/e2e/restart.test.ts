import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { freed, mounts, objectsOf, pins } from '../harness/bpf_objects.ts'
import { startInflux } from '../harness/influx.ts'
import { Ledger } from '../harness/ledger.ts'
import { needs } from '../harness/skip.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, intoWindow, windowNow } from '../harness/windows.ts'
import { startMonologue } from './monologue.ts'

// they wait more than they work
t.jobs = 3

const skip = needs('root', 'bpf', 'netns', 'gcc', 'ss', 'containerd', 'influxd', 'bpftool')
const OUTAGE = 5

interface Sample {
  time: number
  as_client: number
  as_server: number
}

/** A container that talks to itself, and the ledger of it. */
async function stage(t: Test) {
  const { node, container, open } = await startMonologue(t)
  const ledger = new Ledger()
  /** Some more conversations, which stay. */
  const talk = (count: number) => ledger.opens('main', 'main', count, () => open(count))
  const flags = ['--containerd-state', node.containerd.stateDir]
  return { id: shortId(container.id), ledger, talk, flags }
}

async function stored(site: Site, id: string): Promise<Sample[]> {
  const rows = await site.query(
    `select epoch(time) as time, as_client, as_server from "container:num_flows" where container = '${id}' order by time`,
  )
  return rows as unknown as Sample[]
}

/** The samples say what the ledger says, each window once. */
function check(
  t: Test,
  samples: readonly Sample[],
  ledger: Ledger,
  windows: readonly number[],
  where: string,
) {
  const inside = samples.filter(({ time }) => time >= windows[0]! && time <= windows.at(-1)!)
  t.same(
    inside.map(({ time }) => time),
    windows,
    `${where}: each window once, with its own timestamp`,
  )
  for (const { time, as_client, as_server } of inside) {
    const { least, most } = ledger.flows('main', 'client', time)
    const right = [as_client, as_server].every(flows => least <= flows && flows <= most)
    t.ok(right, `${where}: ${as_client} and ${as_server} flows in window ${time}`, { least, most })
  }
}

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

t.test('a probe that is killed leaves nothing, and the next one counts on', { skip }, async t => {
  const { id, ledger, talk, flags } = await stage(t)
  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector()
  const around = { mounts: mounts(), pins: pins() }
  await talk(5)
  const first = await site.probe(flags)
  const firstWindow = windowNow() + 1
  const held = objectsOf(first.pid)
  t.ok(held.size > 10, `it holds ${held.size} BPF objects`)
  await talk(1)
  const lastWindow = (await earlyInWindow()) + 1
  const windowStored = (window: number) =>
    until(
      `window ${window}`,
      async () => (await stored(site, id).catch(() => [])).some(({ time }) => time === window),
      20_000,
    )
  await windowStored(lastWindow)
  t.match(await first.kill('SIGKILL'), { signal: 'SIGKILL' })
  await freed(held)
  t.same({ mounts: mounts(), pins: pins() }, around, 'nothing is mounted, nothing is pinned')

  const killed = windowNow()
  await talk(3)
  await site.probe(flags)
  const resumed = windowNow() + 1
  await earlyInWindow()
  await earlyInWindow()
  await talk(2)
  const end = (await earlyInWindow()) + 1
  await windowStored(end)
  const samples = await stored(site, id)
  const before = samples.findLast(({ time }) => time <= killed)!.time
  check(t, samples, ledger, range(firstWindow, before), 'before')
  check(t, samples, ledger, range(resumed, end), 'after')
})

t.test('a collector that is killed for five windows gets them all, once', { skip }, async t => {
  const influx = await startInflux()
  t.teardown(() => influx.remove())
  const { id, ledger, talk, flags } = await stage(t)
  const site = await openSite()
  t.teardown(() => site.close())
  const sinks = ['--sink', 'embedded', '--sink', 'influxdb', '--influx-url', influx.url]
  const started = () => site.collector(sinks)
  let collector = await started()
  await site.probe(flags)
  const first = windowNow() + 1
  await earlyInWindow()
  await talk(1)
  await earlyInWindow()
  await collector.kill('SIGKILL')
  for (let window = 0; window < OUTAGE; window++) {
    await talk(1)
    await earlyInWindow()
  }
  collector = await started()
  // and again when it may be between a sink and the acknowledgement
  for (const ms of [10, 40]) {
    await intoWindow(ms)
    await collector.kill('SIGKILL')
    await talk(1)
    collector = await started()
  }
  const last = (await earlyInWindow()) + 1
  const written = async () => {
    const q = `select time, as_client, as_server from "container:num_flows" where "container" = '${id}'`
    return (await influx.query(q, 'sockflux').catch(() => [])) as unknown as Sample[]
  }
  const kept = await until(
    'the last window in both sinks',
    async () => {
      const both = [await written(), await stored(site, id).catch(() => [])] as const
      return both.every(samples => samples.some(({ time }) => time === last)) && both
    },
    20_000,
  )
  for (const [index, where] of (['InfluxDB', 'the store'] as const).entries())
    check(
      t,
      kept[index]!.filter(({ time }) => time <= last),
      ledger,
      range(first, last),
      where,
    )
})
