/**
 * Messages in, finished windows out. Counts what is missing, what comes late and what is no message; a probe of another
 * version is read by field name, one that lies is refused by name of the lie.
 */

import { MalformedError } from '../probe/wire/check.ts'
import { KnownWho } from '../probe/wire/known_who.ts'
import { type Layout, LayoutError } from '../probe/wire/layout.ts'
import {
  decode,
  type Identity,
  type Losses,
  type Message,
  type SettledHead,
  WINDOW,
  type WindowHead,
  type WindowKey,
  type WindowWho,
} from '../probe/wire/message.ts'
import { Fold } from './fold.ts'
import { decoder, isRecord } from './records/decoder.ts'
import type { Decoder } from './records/record.ts'

/** A window whose end has come, or will not come any more. */
export interface Folded {
  readonly key: WindowKey
  /** The window's end, seconds since the epoch. */
  readonly time: number
  /** The first window of a probe's run: to be shown, not written. */
  readonly partial: boolean
  /** False: its end message, and maybe rows, are missing. */
  readonly complete: boolean
  /** Seconds. */
  readonly interval: number
  /** What the probe lost since the window before, by stage and reason: `kernel/slot`. */
  readonly lost: Losses
  readonly fold: Fold
}

/** What happened to a message, for whoever answers the probe. */
export interface Outcome {
  readonly key: WindowKey
  /** Windows that this message ended, oldest first. */
  readonly folded: readonly Folded[]
  /** It was the end of a window that had ended before: the probe has not seen the answer. */
  readonly repeatedEnd: boolean
  /** Windows before this one are settled; `elsewhere`: by another collector, which also counted on. */
  readonly settled?: { readonly elsewhere: boolean }
}

interface ProbeState {
  readonly windows: Map<number, Fold>
  sequence: number
  /** The last window that was handed on. */
  closed: number
  /** The window before which another collector had the probe; -1 when none had. */
  movedAt: number
  /** Highest losses the probe told, by stage and reason. */
  lost: Losses
  /** Those of them that a window has told already. */
  told: Losses
  /** Seconds; of the window that ended last. */
  interval: number
  seenMs: number
}

/** Windows that may be open at once: the running one and the one whose end is on its way. */
const OPEN_WINDOWS = 2
const MOST_PROBES = 4096
/** Of one message: rows of a narrower layout become wider when they are read. */
const MOST_ROWS = 2 ** 20
/** A probe that was silent so long is gone; of one with long windows, after three of them. */
const IDLE_MS = 10 * 60_000
const IDLE_WINDOWS = 3
/** The longest interval that a probe takes, for one that has not told its own yet. */
const LONGEST_S = 3600

export class Ingest {
  /** By reason: what was received but not counted. */
  readonly lost: Record<string, number> = {}
  received = 0
  rows = 0
  readonly #probes = new Map<string, ProbeState>()
  readonly #decoders = new Map<string, Decoder>()
  readonly #who = new KnownWho()
  readonly #withProcesses: () => boolean
  readonly #now: () => number

  /**
   * @param withProcesses whether somebody watches processes now
   * @param now milliseconds that only rise
   */
  constructor(withProcesses: () => boolean = () => false, now: () => number = () => performance.now()) {
    this.#withProcesses = withProcesses
    this.#now = now
  }

  /** @throws MalformedError for a message that is none; it has been counted */
  receive(frames: readonly Buffer[]): Outcome {
    try {
      return this.#accept(decode(frames, this.#who))
    } catch (error) {
      const reason =
        error instanceof MalformedError ? error.reason : error instanceof LayoutError ? 'layout' : undefined
      if (!reason) throw error
      this.#lose(`malformed_${reason}`, 1)
      throw error instanceof MalformedError ? error : new MalformedError(reason, (error as Error).message)
    }
  }

  /** Known now. */
  get probes(): number {
    return this.#probes.size
  }

  /** What the probes say that they lost, added up. */
  probeLosses(): Losses {
    const sum = new Map<string, number>() // reasons come from the network: one could be `constructor`
    for (const { lost } of this.#probes.values())
      for (const [reason, count] of Object.entries(lost)) sum.set(reason, (sum.get(reason) ?? 0) + count)
    return Object.fromEntries(sum)
  }

  /** Forget probes that have been silent; what they left unfinished is counted. */
  expire(): void {
    const now = this.#now()
    for (const [id, probe] of this.#probes) {
      if (now - probe.seenMs <= Math.max(IDLE_MS, IDLE_WINDOWS * probe.interval * 1000)) continue
      for (const fold of probe.windows.values()) this.#lose('unfinished', fold.rows)
      this.#probes.delete(id)
    }
  }

  #accept(message: Message): Outcome {
    const { head } = message
    const probe = this.#probe(head)
    const nothing = { key: keyOf(head), folded: [], repeatedEnd: false }
    if (!('who' in message)) return { ...nothing, settled: this.#settled(message.head, probe) }
    if (head.sequence <= probe.sequence)
      return { ...nothing, repeatedEnd: message.topic === WINDOW && head.window <= probe.closed }
    if (probe.sequence >= 0) this.#lose('gap', head.sequence - probe.sequence - 1)
    probe.sequence = head.sequence
    probe.lost = head.lost
    this.received++
    if ('rows' in message) {
      if (isRecord(message.topic)) this.#rows(message, probe)
      else this.#lose('unknown_topic', 1)
      return nothing
    }
    return { ...nothing, folded: this.#end(message, probe) }
  }

  /**
   * What comes by an earlier connection may come behind this one: it is too late then, not missing and not half a window.
   */
  #settled(head: SettledHead, probe: ProbeState): { elsewhere: boolean } {
    const elsewhere = head.elsewhere && head.window > probe.movedAt
    if (elsewhere) probe.movedAt = head.window
    probe.sequence = Math.max(probe.sequence, head.sequence - 1)
    if (head.window > probe.closed + 1) {
      probe.closed = head.window - 1
      probe.told = head.lost
    }
    for (const index of probe.windows.keys()) if (index < head.window) probe.windows.delete(index)
    return { elsewhere }
  }

  #rows(message: Extract<Message, { rows: Buffer }>, probe: ProbeState): void {
    const { topic, head, rows, who } = message
    if (!head.layout) return
    if (head.layout.name !== topic)
      throw new MalformedError('layout', `rows of ${topic} with the layout of ${head.layout.name}`)
    const decode = this.#decoder(head.layout)
    const count = rows.length / decode.size
    if (count > MOST_ROWS) throw new MalformedError('rows', `${count} rows in one message`)
    if (head.window <= probe.closed) {
      this.#lose('late', count)
      return
    }
    const fold = this.#window(probe, head.window)
    if (!fold) this.#lose('window_ahead', count)
    else {
      fold.add(rows, decode, who)
      this.rows += count
    }
  }

  #end({ head, who }: { head: WindowHead; who: WindowWho }, probe: ProbeState): Folded[] {
    if (head.window <= probe.closed) return []
    const fold = this.#window(probe, head.window) ?? new Fold()
    probe.windows.set(head.window, fold) // also when windows far ahead have taken all places
    fold.end(who)
    const folded: Folded[] = []
    for (const [index, open] of [...probe.windows].sort(([a], [b]) => a - b)) {
      if (index > head.window) break
      probe.windows.delete(index)
      this.#lose('groups', open.crowded)
      this.#lose('cgroup_id', open.refused)
      const complete = index === head.window
      if (!complete) this.#lose('incomplete', 1)
      // labels are multiples of the interval; one whose own end is missing is told by its distance
      const time = head.time - (head.window - index) * head.interval
      const partial = complete ? head.partial : index === 0
      const key = { ...keyOf(head), window: index }
      const { interval } = head
      const lost = complete ? since(probe.lost, probe.told) : {}
      folded.push({ key, time, partial, complete, interval, lost, fold: open })
    }
    probe.told = probe.lost
    probe.closed = head.window
    probe.interval = head.interval
    return folded
  }

  #window(probe: ProbeState, index: number): Fold | undefined {
    let fold = probe.windows.get(index)
    if (!fold && probe.windows.size <= OPEN_WINDOWS) {
      fold = new Fold(this.#withProcesses())
      probe.windows.set(index, fold)
    }
    return fold
  }

  #probe(head: Identity): ProbeState {
    const id = `${head.boot} ${head.probe}`
    let probe = this.#probes.get(id)
    if (!probe) {
      if (this.#probes.size >= MOST_PROBES) {
        this.expire()
        if (this.#probes.size >= MOST_PROBES)
          throw new MalformedError('too_many_probes', `${MOST_PROBES} probes are known already`)
      }
      probe = {
        windows: new Map(),
        sequence: -1,
        closed: -1,
        movedAt: -1,
        lost: {},
        told: {},
        interval: LONGEST_S,
        seenMs: 0,
      }
      this.#probes.set(id, probe)
    }
    probe.seenMs = this.#now()
    return probe
  }

  #decoder(layout: Layout): Decoder {
    const key = JSON.stringify(layout)
    let found = this.#decoders.get(key)
    if (!found) {
      found = decoder(layout)
      if (this.#decoders.size >= 64) this.#decoders.clear()
      this.#decoders.set(key, found)
    }
    return found
  }

  #lose(reason: string, count: number): void {
    if (count > 0) this.lost[reason] = (this.lost[reason] ?? 0) + count
  }
}

const since = (lost: Losses, told: Losses): Losses =>
  Object.fromEntries(
    Object.entries(lost)
      .map(([reason, count]) => [reason, count - (Object.hasOwn(told, reason) ? told[reason]! : 0)] as const)
      .filter(([, count]) => count > 0),
  )

const keyOf = ({ host, boot, probe, window }: WindowKey): WindowKey => ({ host, boot, probe, window })
