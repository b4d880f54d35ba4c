/**
 * Messages in, finished windows out. Counts missing, late and malformed messages; records of
 * another probe are read by field name, and a wrong one is refused with the reason.
 */

import { MalformedError } from '../../wire/check.ts'
import { type Layout, LayoutError } from '../../wire/layout.ts'
import { decode, type Losses, type Message, type Names, WINDOW, type WindowKey } from '../../wire/message.ts'
import { ParsedFrames } from '../../wire/parsed_frames.ts'
import type { Counted } from '../counters.ts'
import { decoder, isRecord } from '../fold/records/decoder.ts'
import type { Decoder } from '../fold/records/record.ts'
import { jumpOf } from './bounds.ts'
import { type ClockFault, clockFault } from './clocks.ts'
import type { Folded } from './folded.ts'
import { KnownProbes } from './known_probes.ts'
import { anybody, type Speaker } from './link/speaker.ts'
import { keyOf, type ProbeWindows } from './probe_windows.ts'
import type { RowTaker } from './row_taker.ts'

/** What happened to a message: the listener answers the probe by it. */
interface Outcome {
  readonly key: WindowKey
  /** Of the wire, as the probe speaks it. */
  readonly version: number
  /** The windows that this message ended, oldest first. */
  readonly folded: readonly Folded[]
  /** It was the end of a window that had ended before: the answer did not reach the probe. */
  readonly repeatedEnd: boolean
  /** Why rows of some record could not be read. The other rows count. */
  readonly refused?: string
  /** Of the windows that ended, those whose time cannot be true. */
  readonly clocks?: readonly ClockFault[]
  /** Windows before this one are settled; `elsewhere`: by another collector, whose counters rose meanwhile. */
  readonly settled?: { readonly elsewhere: boolean }
}

export class Ingest implements Counted {
  /** By reason: what was received and not folded. */
  readonly lost: Record<string, number> = {}
  received = 0
  rows = 0
  readonly #probes: KnownProbes
  readonly #decoders = new WeakMap<Layout, Decoder>()
  readonly #known = new ParsedFrames<Names>()
  readonly #now: () => number
  readonly #wall: () => number
  readonly #also: RowTaker | undefined

  /**
   * @param withProcesses whether windows are to be folded per process now
   * @param also reads the rows besides
   * @param now milliseconds that only rise
   * @param wall milliseconds since the epoch
   */
  constructor(
    withProcesses: () => boolean = () => false,
    also?: RowTaker,
    now: () => number = () => performance.now(),
    wall: () => number = Date.now,
  ) {
    this.#also = also?.isWanted ? also : undefined
    this.#probes = new KnownProbes(
      withProcesses,
      (reason, count) => this.#lose(reason, count),
      now,
      run => this.#also?.leave(run),
    )
    this.#now = now
    this.#wall = wall
  }

  /**
   * @param speaker who sent it
   * @param from the connection that it came by
   * @throws MalformedError; it has been counted
   */
  receive(frames: readonly Buffer[], speaker: Speaker = anybody, from = ''): Outcome {
    try {
      const message = decode(frames, this.#known)
      const fault = speaker.fault(message.head.host)
      if (fault !== undefined) throw new MalformedError('foreign_host', fault)
      return this.#accept(message, from)
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      this.#lose(`malformed_${error.reason}`, 1)
      if (error.head && speaker.fault(error.head.host) === undefined) this.#skip(error.head)
      throw error
    }
  }

  /** A message with a right head and wrong content has come: it is no gap. */
  #skip(head: NonNullable<MalformedError['head']>): void {
    const probe = this.#probes.find(head)
    if (probe && !jumpOf(head, probe)) probe.advance(head.sequence)
  }

  stats() {
    return { messages: this.received, rows: this.rows, probes: this.#probes.size }
  }

  losses(): Record<string, number> {
    const lost = Object.entries(this.lost)
    return Object.fromEntries(lost.map(([reason, count]) => [`ingest/${reason}`, count]))
  }

  view() {
    return { received: this.received, rows: this.rows, lost: this.lost, probes: this.probeLosses() }
  }

  /** Probes that are active now. */
  get probes(): number {
    return this.#probes.size
  }

  /** What the probes that were heard within a day lost, added up. */
  probeLosses(): Losses {
    return this.#probes.losses()
  }

  /** Put aside probes that have been silent. */
  expire(): void {
    this.#probes.expire()
  }

  #accept(message: Message, from: string): Outcome {
    const { head, version } = message
    const probe = this.#probes.of(head, from)
    const jump = jumpOf(head, probe)
    if (jump) throw jump
    probe.seenMs = this.#now()
    const nothing = { key: keyOf(head), version, folded: [], repeatedEnd: false }
    if (!('names' in message)) return { ...nothing, settled: probe.settled(message.head) }
    if (!probe.advance(head.sequence))
      return { ...nothing, repeatedEnd: message.topic === WINDOW && head.window <= probe.closed }
    probe.lost = head.lost
    this.received++
    const refused = this.#add(message, probe)
    const ended = message.topic === WINDOW ? probe.end(message.head, message.names) : []
    return { ...nothing, ...this.#judged(ended), ...(refused !== undefined && { refused }) }
  }

  /** A window whose time cannot be true is shown and not stored, as a partial one is. */
  #judged(ended: readonly Folded[]): Pick<Outcome, 'folded' | 'clocks'> {
    const now = this.#wall() / 1000
    const clocks: ClockFault[] = []
    const canBe = ({ key, interval }: Folded, time: number) =>
      [undefined, 'own_clock_unset'].includes(clockFault({ key, interval, time }, now)?.reason)
    const folded = ended.map(given => {
      const missing = given.missing?.filter(({ time }) => canBe(given, time))
      const window = { ...given, ...(missing && { missing }) }
      const fault = window.partial ? undefined : clockFault(window, now)
      if (!fault) return window
      clocks.push(fault)
      if (fault.reason === 'own_clock_unset') return window
      this.#lose(fault.reason, 1)
      return { ...window, partial: true }
    })
    return clocks.length > 0 ? { folded, clocks } : { folded }
  }

  /** @returns why rows of some record were refused */
  #add(message: Exclude<Message, { topic: 'settled' }>, probe: ProbeWindows): string | undefined {
    let refused: string | undefined
    for (const { layout, bytes } of message.parts)
      try {
        if (isRecord(layout.name)) this.#rows(message, layout, bytes, probe)
        else this.#unknown(message, bytes.length / layout.size, probe)
      } catch (error) {
        if (!(error instanceof LayoutError)) throw error
        this.#lose('malformed_layout', 1)
        refused = error.message
      }
    return refused
  }

  /** The rows have come, and nothing that is shown lacks them. */
  #unknown({ topic, head }: Message, rows: number, probe: ProbeWindows): void {
    this.#lose('unknown_record', 1)
    const fold = head.window > probe.closed ? probe.open(head.window, topic === WINDOW) : undefined
    if (fold) fold.unread += rows
  }

  #rows(
    { topic, head, names }: Exclude<Message, { topic: 'settled' }>,
    layout: Layout,
    rows: Buffer,
    probe: ProbeWindows,
  ): void {
    const decode = this.#decoder(layout)
    const count = rows.length / decode.size
    if (head.window <= probe.closed) {
      this.#lose('late', count)
      return
    }
    const fold = probe.open(head.window, topic === WINDOW)
    if (!fold) this.#lose('window_ahead', count)
    else {
      fold.add(rows, decode, names)
      this.#also?.take(head, layout, rows, names)
      this.rows += count
    }
  }

  #decoder(layout: Layout): Decoder {
    let found = this.#decoders.get(layout)
    if (!found) {
      found = decoder(layout)
      this.#decoders.set(layout, found)
    }
    return found
  }

  #lose(reason: string, count: number): void {
    if (count > 0) this.lost[reason] = (this.lost[reason] ?? 0) + count
  }
}
