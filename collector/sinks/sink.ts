import type { Batch, Sample } from '../batch.ts'

/**
 * A place that stores samples. It implements its protocol only. Retrying, bounding and dropping belong to the queue around
 * it (`queue.ts`), so that a slow database never delays the others.
 */
export interface Sink {
  /** For logs and counters: the name of its descriptor. */
  readonly name: string
  /**
   * Writes one host's window. Resolves when it is stored durably; writing the same batch twice leaves one copy.
   * @throws {Refused} if samples were refused permanently: a retry would not help. The queue counts them and goes on.
   * @throws {Error} otherwise: the queue retries. `Trouble` lists what the error may carry.
   */
  write(batch: Batch): Promise<void>
  /**
   * Writes several batches in one request. An error does not say which batch was refused.
   * @throws as `write()` does
   */
  writeAll?(batches: readonly Batch[]): Promise<void>
  close(): Promise<void>
}

/** What an error of a sink may carry for the queue, besides its message. */
export interface Trouble {
  /** One word, for the log and the counters. */
  readonly reason?: string | undefined
  /** The delay that the server asked for (RFC 9110, Retry-After). */
  readonly retryAfterMs?: number | undefined
  /**
   * Whether a batch may be the cause, so that other batches may be stored: `batch` if the answer says so, `unknown` if it
   * may be the batch or the server. If undefined, all batches wait.
   */
  readonly fault?: 'batch' | 'unknown' | undefined
}

/** The sink's server has refused samples, and would refuse them again. */
export class Refused extends Error {
  override name = 'Refused'
  readonly reason: string
  readonly samples: number
  /**
   * @param reason one word for the counter, such as `partial_write`, `unauthorized`
   * @param samples how many samples of the batch were not stored
   * @param message one sentence for the log, with the remedy
   */
  constructor(reason: string, samples: number, message: string) {
    super(message)
    this.reason = reason
    this.samples = samples
  }
}

const INFINITE = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

/** For samples with a value that is NaN or infinite: no store can represent it, so the value is left out. */
export function notFinite({ samples }: Batch): Refused | undefined {
  const suspect = samples.filter(({ values }) => INFINITE.some(value => values.includes(value)))
  const isRefused = ({ values }: Sample) => INFINITE.some(value => values.includes(value))
  const { length } = suspect.flatMap(some => [...some.each()]).filter(isRefused)
  if (length === 0) return undefined
  return new Refused('not_finite', length, `${length} samples had a value that is not a finite number`)
}
