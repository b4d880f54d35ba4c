/**
 * The consumer of one partition: durable, so that the server shows how far it has come, and begun anew wherever we say, so that
 * messages come in the order of the stream. One that the server delivers twice is seen by who reads; one that was lost on
 * the way leaves a gap in the deliveries, and we begin anew behind the last that came.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream'
import { consumerOf, STREAM, subjectsOf } from '../../../../wire/nats/names.ts'

/** Of one request: a part has up to 0.9 MB. */
const MESSAGES = 8
const EXPIRES_MS = 20_000
const PAUSE_MS = 500
const ACK_WAIT_S = 60
/** How often an unsettled window is reported to the server as in progress, so that it is not delivered again. */
export const WORKING_MS = (ACK_WAIT_S / 3) * 1000
/** Windows that are not settled; two for each host of a partition are usual. */
const MAX_PENDING = 4096

export interface Streaming {
  readonly stream: JetStreamClient
  readonly manager: JetStreamManager
}

export class Consumer {
  readonly #streaming: Streaming
  readonly #name: string
  readonly #subject: string
  #messages: ConsumerMessages | undefined
  #isClosed = false
  #isStale = false

  constructor(streaming: Streaming, group: string, partition: number) {
    this.#streaming = streaming
    this.#name = consumerOf(group, partition)
    this.#subject = subjectsOf(partition)
  }

  /** @returns where it goes on: what is settled, as far as the server knows; undefined when there is none yet */
  async floor(): Promise<number | undefined> {
    try {
      const { ack_floor } = await this.#streaming.manager.consumers.info(STREAM, this.#name)
      return ack_floor.stream_seq + 1
    } catch (error) {
      if (/not found/i.test((error as Error).message)) return undefined
      throw error
    }
  }

  /**
   * Until it is closed.
   * @param next where to begin, and to begin anew
   * @param failed tells why it begins anew
   */
  async *read(next: () => number, failed: (error: unknown) => void): AsyncGenerator<JsMsg> {
    while (!this.#isClosed)
      try {
        await this.#begin(next())
        yield* this.#fetch()
      } catch (error) {
        if (this.#isClosed) return
        failed(error)
        await sleep(PAUSE_MS)
      }
  }

  /** The connection was lost, and what was on its way. */
  again(): void {
    this.#isStale = true
    this.#messages?.stop()
  }

  close(): void {
    this.#isClosed = true
    this.#messages?.stop()
  }

  async #begin(from: number): Promise<void> {
    const { consumers } = this.#streaming.manager
    this.#isStale = false
    await consumers.delete(STREAM, this.#name).catch((error: Error) => {
      if (!/not found/i.test(error.message)) throw error
    })
    const config: Partial<ConsumerConfig> = {
      durable_name: this.#name,
      filter_subject: this.#subject,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_S * 1e9,
      max_ack_pending: MAX_PENDING,
      ...(from > 1
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }
        : { deliver_policy: DeliverPolicy.All }),
    }
    await consumers.add(STREAM, config)
  }

  async *#fetch(): AsyncGenerator<JsMsg> {
    const consumer = await this.#streaming.stream.consumers.get(STREAM, this.#name)
    let delivered = 0
    while (!(this.#isClosed || this.#isStale)) {
      const messages = await consumer.fetch({ max_messages: MESSAGES, expires: EXPIRES_MS })
      this.#messages = messages
      if (this.#isClosed || this.#isStale) messages.stop()
      for await (const message of messages) {
        const { deliverySequence } = message.info
        if (deliverySequence > delivered + 1) return
        delivered = deliverySequence
        yield message
      }
    }
  }
}
