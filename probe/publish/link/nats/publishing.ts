/** Windows into the stream. */

import { type JetStreamClient, jetstream } from '@nats-io/jetstream'
import { headers, type NatsConnection } from '@nats-io/transport-node'
import { subjectOf } from '../../../../wire/nats/names.ts'
import { cut, INTERVAL, idOf, PART, PART_BYTES, partText, WINDOW } from '../../../../wire/nats/window.ts'
import { natsLinkOf } from '../../../../wire/settings/endpoint.ts'
import type { Window } from './assembly.ts'

const ANSWER_MS = 5000
/** Of a message, for its headers. */
const HEADERS_BYTES = 8192

export class Publishing {
  readonly #stream: JetStreamClient
  readonly #connection: NatsConnection
  readonly #subject: string

  /** @param token of the host */
  constructor(connection: NatsConnection, endpoint: string, token: string) {
    this.#connection = connection
    this.#stream = jetstream(connection, { timeout: ANSWER_MS })
    this.#subject = subjectOf(token, natsLinkOf(endpoint).partitions)
  }

  /**
   * Resolves when the stream has stored all of it, now or at an attempt before.
   * @throws what the client throws
   */
  async publish({ key, time, interval, messages }: Window): Promise<void> {
    const { max_payload } = this.#connection.info!
    const parts = cut(messages, Math.max(HEADERS_BYTES, Math.min(PART_BYTES, max_payload - HEADERS_BYTES)))
    await Promise.all(
      parts.map((bytes, index) => {
        const part = partText(index, parts.length)
        const more = headers()
        more.set(PART, part)
        more.set(WINDOW, String(time))
        more.set(INTERVAL, String(interval))
        return this.#stream.publish(this.#subject, bytes, { msgID: idOf(key, part), headers: more })
      }),
    )
  }
}
