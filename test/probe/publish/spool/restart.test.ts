/** A probe that is killed again and again, with three collectors of which one gets each window, and a spool. */

import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { Failover } from '../../../../probe/publish/failover.ts'
import type { Feed } from '../../../../probe/publish/link/connection.ts'
import { Queue } from '../../../../probe/publish/queue.ts'
import { leftOf, reload, type SpooledHead } from '../../../../probe/publish/spool/message.ts'
import { encodeMessage, encodeSettled, encodeWindow, type WindowNames } from '../../../../wire/message.ts'
import type { Found } from '../../../../wire/spool/types.ts'
import { bundleOf } from '../../../harness/bundle.ts'
import { encodeRows, tcpFlowLayout } from '../../../harness/rows.ts'
import { Collector, RANKS } from '../../world.ts'

const layout = tcpFlowLayout()
const everybody: WindowNames = { cgroups: {}, containers: {}, pods: {}, running: [] }

/** The host over all runs of its probe; the disk outlives them. */
class Host {
  readonly collectors: Collector[]
  /** `run window`: how many rows it has. */
  readonly produced = new Map<string, number>()
  /** Those that were in memory when the probe was killed, and may be stored all the same. */
  readonly killed = new Set<string>()
  readonly written = new Set<string>()
  readonly #disk = new Map<number, { found: Found; frames: Buffer[] }>()
  #serial = 0
  #run = -1
  #window = 0
  #sequence = 0
  #begun = 0
  #begunWindow: number | undefined
  #rows = 0
  #failover!: Failover
  #feeds!: readonly Feed[]

  constructor() {
    this.#start()
    this.collectors = RANKS.map(rank => {
      const last = new Map<string, number>()
      return new Collector(this.#feedOf(rank), ({ probe, window }, rows, _lost, complete) => {
        const name = `${probe} ${window}`
        if (!complete || rows !== this.produced.get(name))
          throw new Error(`${name}: ${rows} of ${this.produced.get(name)}, complete ${complete}`)
        // a collector that was killed has forgotten what it wrote. Of runs the order is that of the connections that are read
        if (window <= (last.get(probe) ?? -1) && this.collectors[rank]!.lost.length === 0)
          throw new Error(`${name} after ${last.get(probe)}`)
        last.set(probe, window)
        this.written.add(name)
      })
    })
  }

  get queue(): Queue {
    return this.#failover.queue
  }

  get onDisk(): number {
    return this.#disk.size
  }

  #start(): void {
    this.#run++
    this.#window = this.#sequence = this.#rows = 0
    this.#begunWindow = undefined
    const identity = { host: 'h', boot: 'b', probe: String(this.#run) }
    const queue = new Queue(2 ** 20, identity)
    queue.unspool = serials => {
      for (const serial of serials) this.#disk.delete(serial)
    }
    const { messages, refused, runs } = reload(
      [...this.#disk.values()].map(({ found }) => found),
      'h',
    )
    queue.runs.place(runs)
    queue.load(leftOf(messages, queue.runs))
    for (const { serial } of refused) this.#disk.delete(serial)
    this.#failover = new Failover(
      ['a', 'b', 'c'],
      queue,
      (settled, elsewhere) => encodeSettled({ ...settled, elsewhere }),
      () => {},
      pino({ level: 'silent' }),
    )
    this.#feeds = this.#failover.feeds
  }

  /** Of the run that runs; what is on disk is read. */
  #feedOf(rank: number): Feed {
    return {
      begin: () => this.#feeds[rank]!.begin(),
      reached: isUp => this.#feeds[rank]!.reached(isUp),
      acknowledged: key => this.#feeds[rank]!.acknowledged(key),
      next: () => {
        const frames = this.#feeds[rank]!.next()
        const { missing } = this.queue
        if (frames || missing === undefined) return frames
        this.queue.give(missing, this.#disk.get(missing)!.frames)
        return this.#feeds[rank]!.next()
      },
    }
  }

  get #name(): string {
    return `${this.#run} ${this.#window}`
  }

  #head() {
    const [window, sequence] = [this.#window, this.#sequence++]
    return { host: 'h', boot: 'b', probe: String(this.#run), window, sequence, start_ns: '1', lost: {} }
  }

  push(): void {
    const rows = 1 + (this.#window % 3)
    this.#rows += rows
    const head = this.#head()
    const bytes = encodeRows(
      layout,
      Array.from({ length: rows }, () => ({})),
    )
    const { window, sequence, lost } = head
    const frames = encodeMessage(head, bundleOf({ layout, bytes }), everybody)
    this.#failover.push({ window, sequence, lost, rows, frames, isEnd: false })
  }

  end(): void {
    const head = this.#head()
    const time = 1000 + this.#run * 1000 + this.#window
    const end = { end_ns: '2', time, interval: 1, clock_offset_ns: '0', partial: false }
    this.produced.set(this.#name, this.#rows)
    const { window, sequence, lost } = head
    const frames = encodeWindow({ ...head, ...end }, bundleOf(), everybody)
    this.#failover.push({ window, sequence, lost, rows: 0, frames, isEnd: true })
    this.#window++
    this.#rows = 0
  }

  spool(all: boolean): void {
    const entries = this.queue.unspooled(all)
    const serials = entries.map(({ window, sequence, isEnd, lost, rows, frames }) => {
      const key = this.queue.runs.keyOf(window)
      if (window !== this.#begunWindow) this.#begun = sequence
      this.#begunWindow = window
      const head: SpooledHead = { ...key, sequence, first: this.#begun, isEnd, lost }
      const serial = this.#serial++
      this.#disk.set(serial, {
        found: { serial, head, time: 0, bytes: 1, windows: 1, rows },
        frames: frames!,
      })
      return serial
    })
    this.queue.spooled(entries, serials)
    this.queue.relieve()
  }

  restart(): void {
    for (const { window } of this.queue.unspooled(true)) this.killed.add(`${this.#run} ${window}`)
    for (const collector of this.collectors) collector.disconnect(0)
    // parts of the running window may be on disk
    this.killed.add(this.#name)
    this.#start()
    for (const collector of this.collectors) collector.connect()
  }
}

type Step =
  | { readonly do: 'push' | 'end' | 'spool' | 'spool_all' | 'restart' }
  | {
      readonly do: 'send' | 'read' | 'answer' | 'kill' | 'start' | 'cut' | 'connect'
      readonly rank: number
      readonly number: number
    }
const step: fc.Arbitrary<Step> = fc.oneof(
  ...(
    [
      [10, 'push'],
      [12, 'end'],
      [8, 'spool'],
      [2, 'spool_all'],
      [2, 'restart'],
    ] as const
  ).map(([weight, action]) => ({
    weight,
    arbitrary: fc.record({ do: fc.constant(action) }),
  })),
  ...(
    [
      [25, 'send'],
      [20, 'read'],
      [15, 'answer'],
      [1, 'kill'],
      [2, 'start'],
      [2, 'cut'],
      [4, 'connect'],
    ] as const
  ).map(([weight, action]) => ({
    weight,
    arbitrary: fc.record({
      do: fc.constant(action),
      rank: fc.constantFrom(...RANKS),
      number: fc.nat({ max: 12 }),
    }),
  })),
)

t.test(
  'whatever happens to probe and collectors: whole, each run in order, and what was on disk is written',
  async t => {
    let [restarts, replays] = [0, 0]
    const result = fc.check(
      fc.property(fc.array(step, { maxLength: 250, size: 'max' }), steps => {
        const host = new Host()
        for (const collector of host.collectors) collector.connect()
        for (const step of steps) {
          if (step.do === 'push') host.push()
          else if (step.do === 'end') host.end()
          else if (step.do === 'spool') host.spool(false)
          else if (step.do === 'spool_all') host.spool(true)
          else if (step.do === 'restart') {
            restarts++
            host.restart()
            replays += host.queue.length
          } else if ('rank' in step) {
            const collector = host.collectors[step.rank]!
            if (step.do === 'send') collector.send(step.number)
            else if (step.do === 'read') collector.read(step.number, step.number)
            else if (step.do === 'answer') collector.answer(step.number)
            else if (step.do === 'kill') collector.kill()
            else if (step.do === 'cut') collector.disconnect(step.number)
            else {
              if (step.do === 'start') collector.isRunning = true
              collector.connect()
            }
          }
        }
        for (const collector of host.collectors) {
          collector.isRunning = true
          collector.connect()
        }
        for (let window = 0; window < 4; window++) {
          host.push()
          host.end()
          for (let round = 0; round < 5; round++)
            for (const collector of host.collectors) {
              collector.send(1000)
              for (const which of collector.pipes.keys()) collector.read(which, 1000)
              collector.answer(1000)
            }
        }
        const missing = [...host.produced.keys()].filter(
          name => !host.written.has(name) && !host.killed.has(name),
        )
        if (missing.length > 0) throw new Error(`${missing.join(', ')} were not written`)
        if (host.queue.length > 0 || host.onDisk > 0)
          throw new Error(`${host.queue.length} wait, ${host.onDisk} on disk`)
      }),
      { numRuns: 400 },
    )
    t.notOk(result.failed, `${fc.defaultReportMessage(result)} ${result.errorInstance}`)
    t.ok(replays > 0, `${restarts} restarts, ${replays} messages sent again`)
  },
)
