/** The messages of one partition that are in the stream now, in their order, without a trace on the server. */

import { type Consumer, DeliverPolicy, type JsMsg } from '@nats-io/jetstream'
import { STREAM, subjectsOf } from '../../../../wire/nats/names.ts'
import type { Streaming } from './consumer.ts'

/** Of one request. */
const MAX_BYTES = 16 * 2 ** 20

/**
 * @param first where to begin in the stream
 * @param last where to end
 */
export async function* backlogOf(
  { stream }: Pick<Streaming, 'stream'>,
  partition: number,
  first: number,
  last: number,
): AsyncGenerator<JsMsg> {
  if (first > last) return
  const consumer: Consumer = await stream.consumers.get(STREAM, {
    filter_subjects: subjectsOf(partition),
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: Math.max(1, first),
  })
  if ((await consumer.info()).num_pending === 0) return
  const messages = await consumer.consume({ max_bytes: MAX_BYTES })
  try {
    for await (const message of messages) {
      if (message.seq > last) return
      yield message
      if (message.seq === last || message.info.pending === 0) return
    }
  } finally {
    await messages.close()
    await consumer.delete()
  }
}
