/** Warns when the queue of a collector drops, once a minute: how much, and what to do. */

import type { Logger } from 'pino'
import { ThrottledLog } from '../../wire/process/throttled_log.ts'
import type { Amount } from './ledger.ts'
import type { Queue } from './queue.ts'

const MIB = 2 ** 20

export const amountOf = ({ windows, rows }: Amount): string =>
  `${windows} ${windows === 1 ? 'window' : 'windows'} with ${rows} ${rows === 1 ? 'row' : 'rows'}`

export class QueueLog {
  readonly #queue: Queue
  readonly #log: ThrottledLog
  #dropped = 0

  constructor(queue: Queue, log: Logger) {
    this.#queue = queue
    this.#log = new ThrottledLog(log)
  }

  /** Messages may have been dropped since the last time. */
  check(): void {
    const { dropped, ledger, maxBytes } = this.#queue
    if (dropped === this.#dropped) return
    this.#dropped = dropped
    const size = `${Math.round((maxBytes / MIB) * 10) / 10} MiB`
    const doubtful = ledger.doubtful > 0 ? `, ${ledger.doubtful} more were sent and are not acknowledged` : ''
    this.#log.warn(
      'queue_full',
      `the queue is full (${size}, no acknowledgement from the collector); the oldest windows are dropped: ` +
        `${amountOf(ledger.lost.full)} so far${doubtful}; start the collector, or raise --queue-size`,
    )
  }
}
