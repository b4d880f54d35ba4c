/** Messages of the stream as parts of windows, and windows as messages of the link. */

import type { JsMsg } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { placeOf } from '../../../../wire/nats/names.ts'
import { INTERVAL, PART, PartError, unpack, WINDOW } from '../../../../wire/nats/window.ts'
import type { Part } from './assembly.ts'

/** None when it is no window. */
export function messagesIn(parts: readonly Part[]): Buffer[][] {
  try {
    return unpack(parts.map(({ bytes }) => bytes))
  } catch (error) {
    if (error instanceof PartError) return []
    throw error
  }
}

const ACK = '+ACK'
const WORKING = '+WPI'

/** The memory of the message is not kept until it is settled. */
export function partIn(message: JsMsg, connection: NatsConnection): Part | undefined {
  const place = placeOf(message.subject)
  const part = message.headers?.get(PART)
  if (!place || !part) return undefined
  const { seq: sequence, data } = message
  const { reply } = message as unknown as { reply: string }
  const receipt = {
    sequence,
    ack: () => connection.publish(reply, ACK),
    working: () => connection.publish(reply, WORKING),
  }
  return {
    ...{ host: place.host, part, sequence, receipt },
    bytes: Buffer.from(data.buffer, data.byteOffset, data.length),
    interval: Number(message.headers?.get(INTERVAL)) || 0,
  }
}

/** The label of its window, seconds since the epoch; undefined for what is none. */
export function labelOf(message: JsMsg): number | undefined {
  const label = Number(message.headers?.get(WINDOW) || Number.NaN)
  return Number.isFinite(label) ? label : undefined
}
