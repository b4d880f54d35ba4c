import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { ranked } from '../../wire/rendezvous.ts'
import { type Influx, startInflux } from '../harness/influx.ts'
import { Ledger } from '../harness/ledger.ts'
import { type Child, signal } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { logged, openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { intoWindow, windowNow } from '../harness/windows.ts'
import { startMonologue } from './monologue.ts'

// they wait more than they work
t.jobs = 3

const skip = needs('root', 'bpf', 'netns', 'gcc', 'ss', 'containerd', 'influxd')
const HOST = 'standby'

interface Flows {
  time: number
  as_client: number
  as_server: number
}

interface Opened {
  time: number
  opened: number
}

interface Place {
  readonly site: Site
  collector: Child
}

/** A probe that sends to one of three collectors, all of which write to one InfluxDB and to a store of their own. */
class Stage {
  readonly ledger = new Ledger()
  opened = 0
  readonly #places: readonly Place[]
  readonly #influx: Influx
  readonly #id: string
  readonly #open: (count: number) => Promise<void>
  readonly #probe: Child
  readonly #first: number

  constructor(
    places: readonly Place[],
    influx: Influx,
    id: string,
    open: (count: number) => Promise<void>,
    probe: Child,
  ) {
    this.#places = places
    this.#influx = influx
    this.#id = id
    this.#open = open
    this.#probe = probe
    this.#first = windowNow() + 1
  }

  static async start(t: Test): Promise<Stage> {
    const influx = await startInflux()
    t.teardown(() => influx.remove())
    const { node, container, open } = await startMonologue(t)
    const sites = await Promise.all([openSite(), openSite(), openSite()])
    t.teardown(() => Promise.all(sites.map(site => site.close())))
    const endpoints = sites.map(({ endpoint }) => endpoint)
    const byRank = ranked(HOST, endpoints).map(own => sites.find(({ endpoint }) => endpoint === own)!)
    const places = await Promise.all(
      byRank.map(async site => ({ site, collector: await started(site, influx) })),
    )
    const flags = ['--host', HOST, '--send-to', 'one', '--containerd-state', node.containerd.stateDir]
    const probe = await sites[0].probe(flags, endpoints)
    await logged(probe, new RegExp(`"collector":"${places[0]!.site.endpoint}".*"msg":"chosen"`))
    return new Stage(places, influx, shortId(container.id), open, probe)
  }

  collector(rank: number): Child {
    return this.#places[rank]!.collector
  }

  async restart(rank: number): Promise<void> {
    const place = this.#places[rank]!
    place.collector = await started(place.site, this.#influx)
  }

  /** In each of these windows some more conversations, which stay. */
  async talk(windows: number): Promise<void> {
    for (let window = 0; window < windows; window++) {
      const count = 3 + (this.opened % 5)
      await intoWindow(200)
      await this.ledger.opens('main', 'main', count, () => this.#open(count))
      this.opened += count
    }
  }

  /** The probe has changed from one collector to another. */
  changed(from: number, to: number, why: string): Promise<void> {
    const [left, taken] = [from, to].map(rank => this.#places[rank]!.site.endpoint)
    return logged(this.#probe, new RegExp(`"from":"${left}","to":"${taken}","why":"${why}"`))
  }

  /** What InfluxDB and the stores hold, against what was done. */
  async check(t: Test): Promise<void> {
    const last = windowNow() + 1
    const windows = Array.from({ length: last - this.#first + 1 }, (_, index) => this.#first + index)
    const [written, ...stores] = await until(`window ${last} in InfluxDB and in a store`, async () => {
      const kept = await Promise.all([this.#written(), ...this.#places.map(({ site }) => this.#flows(site))])
      const [first = [], ...others] = kept.map(samples => samples.filter(({ time }) => time <= last))
      const isThere = holds(first, last) && others.some(samples => holds(samples, last))
      return isThere && ([first, ...others] as const)
    })
    const inside = written.filter(({ time }) => time >= this.#first)
    t.same(
      inside.map(({ time }) => time),
      windows,
      'each window once, with its own timestamp',
    )
    this.#checkFlows(t, inside)

    for (const [rank, samples] of stores.entries()) {
      const times = samples.map(({ time }) => time)
      t.equal(new Set(times).size, times.length, `collector ${rank} has no window twice`)
      this.#checkFlows(
        t,
        samples.filter(({ time }) => time >= this.#first),
      )
    }
    const where = windows.map(window =>
      stores.flatMap((samples, rank) => (holds(samples, window) ? [rank] : [])),
    )
    t.comment(`windows are at ${where.map(ranks => ranks.join('+')).join(' ')}`)
    t.ok(
      where.every(({ length }) => length > 0),
      'each window is in a store',
    )
    const said = windows.map(window => {
      const samples = [inside, ...stores].flatMap(
        samples => samples.find(({ time }) => time === window) ?? [],
      )
      return new Set(samples.map(({ as_client, as_server }) => `${as_client} ${as_server}`))
    })
    t.ok(
      said.every(({ size }) => size === 1),
      'who has a window has the same in it',
    )

    const deltas = await Promise.all(this.#places.map(({ site }) => this.#deltas(site)))
    const counted = windows.map(window => [...new Set(deltas.flatMap(by => by.get(window) ?? []))])
    t.ok(
      counted.every(({ length }) => length <= 1),
      'and has counted the same',
      { counted },
    )
    t.equal(
      counted.flat().reduce((sum, opened) => sum + opened, 0),
      this.opened,
      'each connection counted once',
    )
    // what the kernel's side and the names lose is the whole machine's; of this workload all is accounted for above
    for (const [rank, { site }] of this.#places.entries()) {
      const losses = Object.entries(await site.losses()).filter(
        ([reason]) => !/^(kernel|identify|fold)\//.test(reason),
      )
      t.same(losses, [], `collector ${rank} misses nothing`)
    }
  }

  #checkFlows(t: Test, samples: readonly Flows[]): void {
    for (const { time, as_client, as_server } of samples) {
      const { least, most } = this.ledger.flows('main', 'client', time)
      const right = [as_client, as_server].every(flows => least <= flows && flows <= most)
      if (!right) t.fail(`${as_client} and ${as_server} flows in window ${time}`, { least, most })
    }
  }

  async #written(): Promise<Flows[]> {
    const q = `select as_client, as_server from "container:num_flows" where "container" = '${this.#id}'`
    return (await this.#influx.query(q, 'sockflux').catch(() => [])) as unknown as Flows[]
  }

  async #flows(site: Site): Promise<Flows[]> {
    return this.#stored<Flows>(
      site,
      `select epoch(time) as time, as_client, as_server from "container:num_flows"
        where container = '${this.#id}' order by time`,
    )
  }

  /** Connections opened by window: the counter's rise, which begins at 0 where the window before is not there. */
  async #deltas(site: Site): Promise<Map<number, number>> {
    const rows = await this.#stored<Opened>(
      site,
      `select epoch(time) as time, opened from "container:tcp"
        where container = '${this.#id}' and role = 'client' order by time`,
    )
    return new Map(
      rows.map(({ time, opened }, index) => {
        const before = rows[index - 1]
        return [time, before?.time === time - 1 ? opened - before.opened : opened]
      }),
    )
  }

  /** Nothing from one that was never needed: it has no such table. */
  async #stored<T>(site: Site, sql: string): Promise<T[]> {
    const rows = await site.query(sql).catch((error: Error) => {
      if (!/does not exist/.test(error.message)) throw error
      return []
    })
    return rows as T[]
  }
}

const holds = (samples: readonly Flows[], window: number) => samples.some(({ time }) => time === window)

const started = (site: Site, influx: Influx): Promise<Child> =>
  site.collector(['--sink', 'embedded', '--sink', 'influxdb', '--influx-url', influx.url])

t.test('collectors that are killed lose no window, and none is counted twice', { skip }, async t => {
  const stage = await Stage.start(t)
  await stage.talk(3)
  await stage.collector(0).kill('SIGKILL')
  await stage.talk(3)
  await stage.changed(0, 1, 'out of reach')
  await intoWindow(30) // when the last window may be written, and not acknowledged
  await stage.collector(1).kill('SIGKILL')
  await stage.talk(3)
  await stage.changed(1, 2, 'out of reach')
  await stage.restart(0)
  await stage.talk(4)
  await stage.changed(2, 0, 'a better one is back')
  await stage.restart(1)
  await stage.talk(2)
  await stage.check(t)
})

t.test('a collector that stands still is left, and taken again when it goes on', { skip }, async t => {
  const stage = await Stage.start(t)
  await stage.talk(3)
  signal(stage.collector(0).pid, 'SIGSTOP')
  await stage.talk(8)
  await stage.changed(0, 1, 'no acknowledgements')
  signal(stage.collector(0).pid, 'SIGCONT')
  await stage.talk(4)
  await stage.changed(1, 0, 'a better one is back')
  await stage.talk(2)
  await stage.check(t)
})
