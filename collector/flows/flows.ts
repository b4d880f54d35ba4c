/**
 * The flow stage: it takes the same rows as the fold, and keeps a record of each conversation while it lives. It runs only when
 * somebody consumes flows. A row is read on arrival; a window's end says who its processes and containers are.
 */

import type { Layout } from '../../wire/layout.ts'
import { type Head, type Names, runOf } from '../../wire/message.ts'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'
import type { Batch } from '../batch.ts'
import { type ClusterFacts, NO_FACTS } from '../cluster/facts.ts'
import type { Counted } from '../counters.ts'
import type { Folded } from '../ingest/folded.ts'
import type { RowTaker } from '../ingest/row_taker.ts'
import { afterAll, type Settled } from '../settled.ts'
import { COUNTED, Counter, countPods, type FlowCounts } from './counts/counts.ts'
import { Ending } from './ending.ts'
import type { Followed, Follower } from './follower.ts'
import { Into } from './into.ts'
import { Addresses, keyOf } from './join/addresses.ts'
import { type Answer, ask, type Question } from './live.ts'
import { samplesOf } from './record.ts'
import { Recorder } from './recorder.ts'
import { READERS, type RowReader } from './rows.ts'
import { readSubnets, type SubnetFile } from './subnets/file.ts'
import { type SubnetMatch, Subnets } from './subnets/subnets.ts'
import { MARK, WORD } from './table/columns.ts'
import type { Run } from './table/run.ts'
import { eachConversation, FlowStore } from './table/store.ts'
import { takeBack } from './unfinished.ts'

export interface FlowOptions {
  readonly flows: boolean
  /** Flows that are kept at once. */
  readonly maxLiveFlows: number
  /** Somebody looks at live ones, which stores none. */
  readonly isShown?: boolean
  /** Groups of measurements. */
  readonly metrics: readonly string[]
  /** File with the names of address ranges. */
  readonly subnets?: string | undefined
  readonly subnetMatch: SubnetMatch
  /** Of the cluster that the hosts are in. */
  readonly facts?: ClusterFacts
}

/** A sink that takes records of conversations. */
export interface FlowOutlet {
  /** It is there for them: without it nobody might want them. */
  readonly needsFlows: boolean
  /** @param done called once, when it has settled the batch */
  push(batch: Batch, done: Settled): void
}

const NO_LABELS: SubnetFile = { labels: [], autoDetect: true }
/** Records of a probe that sums before it sends. */
const FOLDED = 'flow_total'

export class Flows implements RowTaker, Counted, Followed {
  readonly store: FlowStore
  /** Somebody consumes flows. */
  isWanted: boolean
  /** Records made. */
  recorded = 0
  readonly #readers = new WeakMap<Layout, RowReader>()
  readonly #addresses: Addresses
  readonly #ending: Ending
  readonly #recorder: Recorder
  #outlets: readonly FlowOutlet[]
  readonly #followers: Follower[] = []
  readonly #counter: Counter
  readonly #isCounted: boolean
  readonly #countsPods: boolean
  readonly #log: Pick<ThrottledLog, 'warn'>
  readonly #now: () => number
  #warned = 0
  /** Batches that came with no window's end. */
  #after = 0

  /** @param now milliseconds that only rise */
  constructor(
    { flows, maxLiveFlows, isShown = false, metrics, subnets, subnetMatch, facts = NO_FACTS }: FlowOptions,
    outlets: readonly FlowOutlet[],
    log: Pick<ThrottledLog, 'warn'>,
    now: () => number = () => performance.now(),
  ) {
    const counted = COUNTED.filter(group => metrics.includes(group))
    this.#isCounted = counted.length > 0
    const isAsked = flows || this.#isCounted || outlets.some(({ needsFlows }) => needsFlows)
    this.#countsPods = metrics.includes('conntrack')
    this.isWanted = isAsked || isShown || this.#countsPods
    this.#outlets = isAsked ? outlets : []
    const { labels, autoDetect } = subnets === undefined ? NO_LABELS : readSubnets(subnets)
    this.store = new FlowStore(maxLiveFlows, new Subnets(labels, subnetMatch, autoDetect), facts)
    this.#addresses = new Addresses(now)
    this.#counter = new Counter(this.store, this, counted)
    this.#ending = new Ending(this.store)
    this.#recorder = new Recorder(this.store)
    this.#log = log
    this.#now = now
  }

  /** To be called before the first row comes. */
  follow(followers: readonly Follower[]): void {
    this.#followers.push(...followers)
    if (followers.length > 0) this.isWanted = true
  }

  isPeerElsewhere(flow: number): boolean {
    return this.#addresses.isElsewhere(this.#remote(flow), this.store.runOf(flow).boot)
  }

  isPeerWatched(flow: number): boolean {
    return this.#addresses.isWatched(this.#remote(flow))
  }

  #remote(flow: number): string {
    const word = (at: number) => this.store.table.word(flow, WORD.REMOTE + at)
    return keyOf(word(0), word(1), word(2), word(3))
  }

  /** Rows of a window that has not ended. */
  take(head: Head, layout: Layout, rows: Buffer, names: Names): void {
    const run = this.store.runs.of(head, this.#now())
    if (layout.name === FOLDED) this.#isFolded(run)
    this.#reader(layout)?.(rows, new Into(this.store, this.#addresses, run, head.window, names))
  }

  /**
   * A window has ended.
   * @param ifid of the endpoint that its probe came by
   * @param settled called when the sinks have settled the records that it made
   * @returns its flows by their other end, where a measurement wants them
   */
  end(
    { key, run: id = runOf(key), time, interval, offsetMs, fold }: Folded,
    ifid: string,
    settled: Settled,
  ): FlowCounts | undefined {
    const run = this.isWanted ? this.store.runs.find(id) : undefined
    if (!run) {
      settled()
      return undefined
    }
    run.host = key.host
    run.ifid = ifid
    run.window = key.window
    run.seenMs = this.#now()
    run.time = time
    run.interval = interval
    run.offsetMs = offsetMs ?? run.offsetMs
    this.#name(run, fold)
    const counts = this.#count(run)
    this.#recorder.active(run)
    for (const follower of this.#followers) follower.window(this, run)
    this.#ending.sweep(this.#now(), flow => {
      this.#last(flow)
      this.#forget(flow)
    })
    this.#push(run, { window: key.window, part: 'flows' }, time, settled)
    if (this.store.refused > this.#warned) {
      this.#warned = this.store.refused
      this.#log.warn(
        'flows_full',
        `${this.store.table.most} live flows are kept and there are more (--max-live-flows): what is beyond them has no record`,
      )
    }
    return counts
  }

  #count(run: Run): FlowCounts | undefined {
    if (!this.#isCounted && !this.#countsPods) return undefined
    const counts = this.#counter.count(run)
    return this.#countsPods ? { ...counts, pods: countPods(this.store, run) } : counts
  }

  ask(question: Question): Answer {
    return ask(this.store, question)
  }

  /** Every conversation: the numbers of its client's and its server's flow, 0 for an end that is unknown. */
  each(visit: (client: number, server: number) => void): void {
    eachConversation(this.store, visit)
  }

  losses() {
    return { 'flows/full': this.store.refused, 'flows/ambiguous': this.store.ambiguous }
  }

  view() {
    const { table, runs } = this.store
    if (!this.isWanted) return {}
    const { recorded } = this
    return { flows: { live: table.size, most: table.most, bytes: this.bytes, runs: runs.size, recorded } }
  }

  /** Of the table and what leads to its rows; names of processes and containers come to it. */
  get bytes(): number {
    const { table, bySocket, byIdentity } = this.store
    return table.bytes + bySocket.bytes + byIdentity.bytes
  }

  /** A run's probe is gone: its flows have ended for us. */
  leave(id: string): void {
    const run = this.store.runs.find(id)
    if (!run) return
    takeBack(this.store, run)
    for (const follower of this.#followers) follower.leave(this, run)
    this.#recorder.gone(run, flow => this.#last(flow))
    this.store.sweep(flow => {
      if (this.store.runOf(flow) !== run) return false
      this.#forget(flow)
      return true
    })
    this.#pushAfter(run)
    this.store.runs.forget(run)
  }

  /** The collector stops: everything that has come of windows that have ended is recorded. */
  close(): void {
    if (this.#outlets.length + this.#followers.length === 0) return
    const runs = [...this.store.runs]
    for (const run of runs) takeBack(this.store, run)
    for (const run of runs) {
      this.#recorder.rest(run, flow => this.#last(flow))
      this.#pushAfter(run)
    }
    this.#outlets = []
    this.#followers.length = 0
  }

  #last(flow: number): void {
    if (!this.store.isMarked(flow, MARK.RECORDED))
      for (const follower of this.#followers) follower.last(this, flow)
    this.#recorder.last(flow)
  }

  #forget(flow: number): void {
    this.#counter.forget(flow)
    for (const follower of this.#followers) follower.forget(flow)
  }

  /** After the last window of a run. Its id differs from that of every other batch, also of other collectors. */
  #pushAfter(run: Run): void {
    const { interval, seenMs } = run
    const passed = run.time === 0 ? Date.now() : this.#now() - seenMs
    const time = run.time + Math.floor(passed / 1000 / interval) * interval
    this.#push(
      run,
      { window: Math.max(0, run.window), part: `flows@${time} ${this.#after++}` },
      time,
      () => {},
    )
  }

  #push(run: Run, id: Pick<Batch['id'], 'window' | 'part'>, time: number, settled: Settled): void {
    const records = this.#recorder.take()
    this.recorded += records.length
    if (records.length === 0 || this.#outlets.length === 0) {
      settled()
      return
    }
    const { host, boot, probe } = { ...run.identity, host: run.host }
    const batch: Batch = {
      id: { host, boot, probe, ...id },
      time,
      interval: run.interval,
      samples: [samplesOf(records)],
      distributions: [],
    }
    const one = afterAll(this.#outlets.length, settled)
    for (const outlet of this.#outlets) outlet.push(batch, one)
  }

  #isFolded(run: Run): void {
    run.isFolded = true
    this.#log.warn(
      'folded',
      `${run.host}: its probe sends sums (--fold), so its conversations are in no record of flows; start it without --fold`,
      run.host,
    )
  }

  #name(run: Run, fold: Folded['fold']): void {
    for (const [id, number] of run.places) {
      const place = this.store.places.get(number)!
      place.name = fold.containers.get(id)?.name ?? place.name
      if (place.name.pod !== undefined) place.pod = fold.podName(place.name.pod) ?? place.pod
    }
    for (const [pid, number] of run.programs) {
      const name = fold.processName(pid)
      const program = this.store.programs.get(number)!
      if (name === undefined || program.name?.started_ns === name.started_ns) continue
      if (program.name === undefined) program.name = name
      else run.programs.delete(pid) // a later process with the same pid: flows of the earlier one keep its name
    }
  }

  #reader(layout: Layout): RowReader | undefined {
    let reader = this.#readers.get(layout)
    if (!reader) {
      reader = READERS.get(layout.name)?.(layout)
      if (reader) this.#readers.set(layout, reader)
    }
    return reader
  }
}
