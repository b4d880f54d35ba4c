/** One partition at work: its messages to windows, windows to the reader, and what is known written down. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { KV } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { STREAM } from '../../../../wire/nats/names.ts'
import type { Incoming, Route } from '../transport.ts'
import { Assembly, type Receipt, type Whole } from './assembly.ts'
import { Consumer, type Streaming, WORKING_MS } from './consumer.ts'
import { messagesIn, partIn } from './parts.ts'
import { type Memories, Positions } from './positions.ts'
import { State } from './state.ts'

export interface Working {
  readonly connection: NatsConnection
  readonly streaming: Streaming
  readonly states: KV
  /** Windows are in the stream for so long. */
  readonly keepHours: number
  readonly memories: Memories
  readonly id: string
  readonly group: string
  /** Hands it to the reader, when there is room. @returns whether it was taken */
  readonly put: (message: Incoming, isWanted: () => boolean) => Promise<boolean>
  /** For the log. */
  readonly failed: (error: unknown) => void
  readonly counts: Counts
}

/** Over all partitions, since the start. */
export interface Counts {
  /** Sets of parts that were never whole, and messages that are none of a window. */
  torn: number
  /** Partitions whose stream had discarded messages before they were read. */
  discarded: number
  /** Messages that were read from the stream, and of these those that had been read before. */
  messages: number
  repeated: number
}

/** Of a window's interval: so often what is known is written down. */
const WRITE_INTERVALS = 6
const INTERVAL_S = 10
/** How long a released partition waits until its windows are settled. */
const SETTLE_MS = 2000

export class Partition {
  readonly #working: Working
  readonly #state: State
  readonly #positions: Positions
  readonly #consumer: Consumer
  readonly #assembly = new Assembly()
  /** Parts of windows that are not settled. */
  readonly #open = new Set<Receipt>()
  readonly #keeping: NodeJS.Timeout
  #intervalMs = INTERVAL_S * 1000
  #writtenMs = performance.now()
  #writing: Promise<void> = Promise.resolve()
  #isDirty = false
  #behind = 0
  #isOver = false

  private constructor(number: number, working: Working, state: State, positions: Positions) {
    this.#working = working
    this.#state = state
    this.#positions = positions
    this.#consumer = new Consumer(working.streaming, working.group, number)
    this.#keeping = setInterval(() => {
      for (const { working } of this.#open) working()
    }, WORKING_MS)
    void this.#run()
  }

  /** @throws when the server does not answer, or another collector has it */
  static async open(number: number, working: Working): Promise<Partition> {
    const { states, id, streaming, memories, keepHours, counts, failed } = working
    const { state, saved, why } = await State.open(states, number, id, keepHours)
    if (why !== undefined)
      failed(new Error(`what was known of partition ${number} cannot be read (${why}); counters begin at 0`))
    const consumer = new Consumer(streaming, working.group, number)
    const from = saved?.from ?? (await consumer.floor()) ?? 1
    const { first_seq } = (await streaming.manager.streams.info(STREAM)).state
    if (from > 1 && first_seq > from) {
      counts.discarded++
      failed(
        new Error(
          `the stream has discarded messages ${from} to ${first_seq - 1}, those of partition ${number} among them are lost: give it more room (max_bytes, max_age), or more collectors`,
        ),
      )
    }
    // a collector that takes over before our first write starts from the same position
    if (!saved) await state.write({ from, hosts: {} })
    return new Partition(number, working, state, new Positions(memories, saved, from))
  }

  /** Messages that were in the stream and not read when the last one was. */
  get behind(): number {
    return this.#behind
  }

  get waiting(): number {
    return this.#positions.waiting
  }

  /** The connection was lost and is back. */
  again(): void {
    this.#consumer.again()
  }

  /** Writes down what is known, when it is time. @throws when another collector has the partition */
  async write(): Promise<void> {
    if (performance.now() - this.#writtenMs < WRITE_INTERVALS * this.#intervalMs) return
    this.#writtenMs = performance.now()
    await this.#write()
  }

  /** Ends it: another collector goes on where we are. */
  async release(): Promise<void> {
    this.#end()
    const until = performance.now() + SETTLE_MS
    while (this.#positions.waiting > 0 && performance.now() < until) await sleep(20)
    try {
      await this.#write()
    } finally {
      this.#positions.forget()
    }
  }

  /** Ends it: another collector has it. */
  lose(): void {
    this.#end()
    this.#positions.forget()
  }

  #end(): void {
    this.#isOver = true
    this.#consumer.close()
    clearInterval(this.#keeping)
  }

  #write(): Promise<void> {
    const next = this.#writing
      .catch(() => {})
      .then(async () => {
        if (!this.#isDirty) return
        this.#isDirty = false
        await this.#state.write(this.#positions.save(this.#assembly.first))
      })
    this.#writing = next
    return next
  }

  async #run(): Promise<void> {
    const { counts, failed } = this.#working
    for await (const message of this.#consumer.read(() => this.#next(), failed)) {
      counts.messages++
      this.#behind = message.info.pending
      const part = partIn(message, this.#working.connection)
      if (!part) {
        counts.torn++
        message.ack()
        continue
      }
      if (!this.#positions.isNew(part.host, part.sequence)) {
        counts.repeated++
        if (![...this.#open].some(({ sequence }) => sequence === part.sequence)) message.ack()
        continue
      }
      const torn = this.#assembly.torn
      const whole = this.#assembly.add(part)
      counts.torn += this.#assembly.torn - torn
      if (whole) await this.#hand(whole)
    }
  }

  /** Where to go on reading. */
  #next(): number {
    return this.#positions.read + 1
  }

  async #hand({ parts, ...whole }: Whole): Promise<void> {
    if (whole.interval > 0) this.#intervalMs = whole.interval * 1000
    const messages = messagesIn(parts)
    const receipts = parts.map(({ receipt }) => receipt)
    if (messages.length === 0) {
      this.#working.counts.torn++
      for (const { ack } of receipts) ack()
      return
    }
    for (const receipt of receipts) this.#open.add(receipt)
    this.#isDirty = true
    // everything before has been read: what is put waits until it is
    const passing = this.#positions.begin(whole)
    const settled = () => {
      passing.settled()
      for (const receipt of receipts) {
        this.#open.delete(receipt)
        receipt.ack()
      }
    }
    const from: Route = { toString: () => whole.host }
    const last = messages.length - 1
    for (const [index, frames] of messages.entries()) {
      const end = index === last ? { settled, border: passing.border } : {}
      const isWanted = () => !this.#isOver
      if (!(await this.#working.put({ from, frames, done() {}, ...end }, isWanted))) return
    }
  }
}
