/** A probe and a collector that are killed at random moments while InfluxDB fails, and what is in InfluxDB at the end. */

import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import type { LedgerText } from '../../probe/publish/spool/ledger_file.ts'
import { startFlaky } from '../harness/flaky.ts'
import { type Influx, startInflux } from '../harness/influx.ts'
import { Ledger } from '../harness/ledger.ts'
import type { Child } from '../harness/process.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowAt, windowNow } from '../harness/windows.ts'
import { startMonologue } from './monologue.ts'

const HOST = 'kills'
/** After its end the last rows of a window are read and put together: until then it is in the making. */
const MAKING_MS = 250

interface Sample {
  readonly time: number
  readonly as_client: number
  readonly as_server: number
}

/** From the window in which a probe was killed to the first whole one of the next. */
type Gap = readonly [from: number, to: number]

export class KillStage {
  readonly site: Site
  readonly influx: Influx
  readonly ledger = new Ledger()
  readonly gaps: Gap[] = []
  #probe: Child | undefined
  #collector: Child | undefined
  #killed = 0
  #first = 0
  readonly #id: string
  readonly #url: string
  readonly #flags: readonly string[]
  readonly #open: (count: number) => Promise<void>

  private constructor(
    site: Site,
    influx: Influx,
    url: string,
    monologue: Awaited<ReturnType<typeof startMonologue>>,
  ) {
    this.site = site
    this.influx = influx
    this.#url = url
    this.#id = shortId(monologue.container.id)
    this.#open = count => monologue.open(count)
    const spool = ['--spool', join(site.directory, 'spool')]
    this.#flags = ['--host', HOST, ...spool, '--containerd-state', monologue.node.containerd.stateDir]
  }

  /** @param isFlaky a proxy before InfluxDB fails in every second request */
  static async start(t: Test, isFlaky: boolean) {
    const influx = await startInflux()
    t.teardown(() => influx.remove())
    const flaky = await startFlaky(influx.url)
    t.teardown(() => flaky.close())
    const monologue = await startMonologue(t)
    const site = await openSite()
    t.teardown(() => site.close())
    const stage = new KillStage(site, influx, isFlaky ? flaky.url : influx.url, monologue)
    await stage.startCollector()
    await stage.talk(3)
    await stage.startProbe()
    stage.#first = windowNow() + 1
    stage.gaps.length = 0
    return { stage, flaky }
  }

  async startCollector(): Promise<void> {
    this.#collector = await this.site.collector(['--sink', 'influxdb', '--influx-url', this.#url])
  }

  async startProbe(): Promise<void> {
    this.#probe = await this.site.probe(this.#flags)
    // it counts from somewhere in this window on: the next one is whole
    this.gaps.push([this.#killed, windowNow()])
  }

  async killCollector(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#collector!.kill(signal)
  }

  async killProbe(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#killed = windowAt(Date.now() - MAKING_MS)
    await this.#probe!.kill(signal)
  }

  /** Some more conversations, which stay. */
  talk(count: number): Promise<unknown> {
    return this.ledger.opens('main', 'main', count, () => this.#open(count))
  }

  async #samples(): Promise<Sample[]> {
    const q = `select time, as_client, as_server from "container:num_flows" where "container" = '${this.#id}'`
    return (await this.influx.query(q, 'sockflux').catch(() => [])) as unknown as Sample[]
  }

  /** The ledger of the probe, over all its runs. */
  async accounts(): Promise<LedgerText> {
    const [path = ''] = globSync('spool/*/ledger.json', { cwd: this.site.directory })
    return JSON.parse(await readFile(join(this.site.directory, path), 'utf8')) as LedgerText
  }

  /** Everything works again: what is in InfluxDB is what was produced, less what the ledger has as lost. */
  async check(t: Test): Promise<void> {
    await earlyInWindow()
    const last = await earlyInWindow()
    const samples = await until(
      `window ${last}`,
      async () => {
        const found = await this.#samples()
        return found.some(({ time }) => time >= last) && found
      },
      60_000, // the collector tries again after 30 s, at most
    )
    const settled = await until('an empty queue', async () => {
      const accounts = await this.accounts()
      return accounts.waiting.windows <= 1 && accounts
    })
    const { produced, stored, lost, waiting } = settled
    for (const what of ['windows', 'rows'] as const) {
      const losses = Object.values(lost).reduce((sum, amount) => sum + amount[what], 0)
      t.equal(
        produced[what],
        stored[what] + losses + waiting[what],
        `${what}: produced = stored + lost + waiting`,
      )
    }
    const { killed, ...others } = lost
    t.same(
      Object.entries(others).filter(([, { windows }]) => windows > 0),
      [],
      'nothing is lost but what was in memory',
    )
    const there = new Set(samples.map(({ time }) => time))
    const missing = Array.from({ length: last - this.#first + 1 }, (_, index) => this.#first + index).filter(
      window => !there.has(window) && !this.gaps.some(([from, to]) => from <= window && window <= to),
    )
    t.ok(
      missing.length <= killed.windows,
      `${there.size} windows; missing are ${missing.length} of the ${killed.windows} that the ledger has as lost`,
      { missing, gaps: this.gaps, killed },
    )
    t.ok(killed.windows <= 2 * this.gaps.length, `at most those in the making: ${killed.windows}`)
    const wrong = samples.filter(({ time, as_client, as_server }) => {
      const { least, most } = this.ledger.flows('main', 'client', time)
      return time >= this.#first && ![as_client, as_server].every(flows => least <= flows && flows <= most)
    })
    t.same(wrong, [], 'each with its own numbers')
    const { gap = 0, incomplete = 0, unfinished = 0 } = (await this.site.stats()).lost
    t.same(
      { gap, incomplete, unfinished },
      { gap: 0, incomplete: 0, unfinished: 0 },
      'and the collector missed nothing',
    )
  }
}

/** Kills one program or both, at random moments, so many times. */
export async function killSeries(t: Test, kills: number): Promise<void> {
  const { stage, flaky } = await KillStage.start(t, true)
  for (let kill = 0; kill < kills; kill++) {
    await sleep(500 + Math.random() * 2000)
    const which = kill % 3
    if (which !== 1) await stage.killProbe()
    if (which !== 0) await stage.killCollector()
    if (kill % 4 === 0) await sleep(Math.random() * 1500)
    await stage.talk(1)
    if (which !== 1) await stage.startProbe()
    if (which === 2) await sleep(Math.random() * 2000)
    if (which !== 0) await stage.startCollector()
  }
  flaky.heal()
  await stage.check(t)
  t.ok(Object.keys(flaky.faults).length >= Math.min(8, kills / 2), JSON.stringify(flaky.faults))
}

/** An outage in which both programs are killed and started. */
export async function outage(t: Test, windows: number): Promise<void> {
  const { stage } = await KillStage.start(t, false)
  await earlyInWindow()
  await stage.killCollector()
  for (let window = 0; window < windows; window++) {
    await earlyInWindow()
    if (window % 5 === 0) await stage.talk(1)
    if (window === Math.floor(windows / 3)) {
      await stage.killProbe()
      await stage.startProbe()
    }
    if (window === Math.floor((2 * windows) / 3)) {
      await stage.startCollector()
      await stage.killCollector()
      await stage.killProbe('SIGTERM')
      await stage.startProbe()
    }
  }
  const { waiting } = await stage.accounts()
  t.ok(waiting.windows > windows / 2, `${waiting.windows} windows wait, of three runs`)
  await stage.startCollector()
  await stage.check(t)
}
