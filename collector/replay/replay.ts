/**
 * Windows of the stream once more: from what was known of a partition before the first of them, through the same fold and
 * samples as then, so that they become the same points. What is before the asked time is folded for its counters and not written.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { JsMsg } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import type { Logger } from 'pino'
import { MalformedError } from '../../wire/check.ts'
import { ThrottledLog } from '../../wire/process/throttled_log.ts'
import { VersionError } from '../../wire/version.ts'
import { Counters } from '../counters.ts'
import { Ingest } from '../ingest/ingest.ts'
import { Assembly, type Whole } from '../ingest/link/nats/assembly.ts'
import { backlogOf } from '../ingest/link/nats/backlog.ts'
import type { Streaming } from '../ingest/link/nats/consumer.ts'
import { labelOf, messagesIn, partIn } from '../ingest/link/nats/parts.ts'
import { snapshotBefore } from '../ingest/link/nats/snapshots.ts'
import { only } from '../ingest/link/speaker.ts'
import type { Next } from '../ingest/listeners.ts'
import { SharedHosts } from '../ingest/shared_hosts.ts'
import type { SamplerOptions } from '../sample/sampler.ts'
import { type Destinations, Writers } from '../sample/writers.ts'
import { within } from './within.ts'

export interface Range {
  /** Labels of windows, seconds since the epoch. */
  readonly from: number
  readonly to: number
}

export interface Source {
  readonly connection: NatsConnection
  readonly streaming: Streaming
  readonly states: KV
  /** What the stream has now. */
  readonly first: number
  readonly last: number
}

export interface Pace {
  /** Windows a second; 0: as fast as the sinks take them. */
  readonly rate: number
  /** The sinks have no room. */
  readonly isFull: () => boolean
  readonly isStopped: () => boolean
}

export class Replay {
  /** Windows that were read, and those of the asked time among them. */
  read = 0
  written = 0
  readonly #range: Range
  readonly #source: Source
  readonly #pace: Pace
  readonly #ifid: string
  readonly #ingest: Ingest
  readonly #writers: Writers
  readonly #next: Next
  readonly #log: ThrottledLog
  #torn = 0
  readonly #beganMs = performance.now()
  /** When the message came that is read now, milliseconds since the epoch. */
  #wallMs = 0

  constructor(
    range: Range,
    source: Source,
    options: SamplerOptions,
    sinks: Destinations,
    { pace, ifid, log }: { readonly pace: Pace; readonly ifid: string; readonly log: Logger },
  ) {
    this.#range = range
    this.#source = source
    this.#pace = pace
    this.#ifid = ifid
    this.#log = new ThrottledLog(log)
    const outlets = sinks.outlets.map(outlet => within(outlet, range))
    const totals = () => new Counters().totals() // it writes nothing of itself
    this.#writers = new Writers(options, { outlets, lostOf: () => ({}) }, totals, log)
    const wall = () => this.#wallMs
    this.#ingest = new Ingest(() => this.#writers.withProcesses, undefined, undefined, wall)
    this.#next = new SharedHosts(
      {
        write: (window, ifid, settled) => this.#writers.write(window, ifid, settled),
        settled: () => {},
      },
      options.profile !== 'ntopng',
      this.#log,
    )
  }

  /** Of the windows that were read, by stage and reason: as then. */
  get lost(): Readonly<Record<string, number>> {
    return { ...this.#ingest.losses(), 'stream/torn': this.#torn }
  }

  /** @returns false when what counters had come to before is not known */
  async knows(partition: number): Promise<boolean> {
    const { states, first } = this.#source
    return first <= 1 || (await snapshotBefore(states, partition, this.#range.from * 1000)) !== undefined
  }

  /** Windows after the asked time are passed over, but for the one that has late names for the last of it. */
  async partition(number: number): Promise<void> {
    const { streaming, states, connection, first, last } = this.#source
    const saved = await snapshotBefore(states, number, this.#range.from * 1000)
    const hosts = new Map<string, Host>()
    for (const [host, { sequence, probes, series }] of Object.entries(saved?.hosts ?? {})) {
      this.#ingest.load(host, probes)
      this.#writers.load(host, series)
      hosts.set(host, { last: sequence - 1, isPending: false })
    }
    const assembly = new Assembly()
    for await (const message of backlogOf(streaming, number, Math.max(first, saved?.from ?? 1), last)) {
      if (this.#pace.isStopped()) break
      const part = partIn(message, connection)
      if (!part) continue
      const host = hosts.get(part.host) ?? { last: -1, isPending: false }
      hosts.set(part.host, host)
      const label = labelOf(message) ?? 0
      if (part.sequence <= host.last || (label > this.#range.to && !host.isPending)) continue
      host.last = part.sequence
      const whole = assembly.add({ ...part, receipt: NO_RECEIPT })
      if (!whole) continue
      await this.#take(whole, label, message)
      host.isPending = label <= this.#range.to
    }
    this.#torn += assembly.torn
    for (const host of hosts.keys()) {
      this.#ingest.forget(host)
      this.#writers.forget(host)
    }
  }

  /** What was refused then is refused again, and counted. */
  #receive(frames: readonly Buffer[], host: string): void {
    try {
      for (const window of this.#ingest.receive(frames, only(host), host).folded)
        this.#next.write(window, this.#ifid, () => {})
    } catch (error) {
      if (!(error instanceof MalformedError || error instanceof VersionError)) throw error
      this.#log.warn('malformed', `a message was refused: ${error.message}`)
    }
  }

  async #take({ host, parts }: Whole, label: number, message: JsMsg): Promise<void> {
    const { from, to } = this.#range
    while (this.#pace.isFull() && !this.#pace.isStopped()) await sleep(20)
    this.#wallMs = message.info.timestampNanos / 1e6
    for (const frames of messagesIn(parts)) this.#receive(frames, host)
    this.read++
    if (label < from || label > to) return
    this.written++
    const { rate } = this.#pace
    const early = rate > 0 ? this.#beganMs + (this.written / rate) * 1000 - performance.now() : 0
    if (early > 0) await sleep(early)
  }
}

/** A host of the partition. */
interface Host {
  /** In the stream: what is up to there is known. */
  last: number
  /** Names of its last window may be in the next one, whenever that is. */
  isPending: boolean
}

const NO_RECEIPT = { sequence: 0, ack() {}, working() {} }
