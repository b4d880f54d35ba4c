import type { Batch, Sample } from '../batch.ts'

/**
 * A place that keeps samples. It knows its own protocol and nothing about waiting: retrying, bounding and dropping
 * belong to the queue around it (`queue.ts`), so that a slow database never slows its neighbours.
 */
export interface Sink {
  /** For logs and counters: the name of its descriptor. */
  readonly name: string
  /**
   * Write one host's window. Resolves when the sink holds it durably; writing the same batch twice leaves one copy.
   * @throws {Refused} what was refused for good: trying again would not help, the queue counts it and goes on.
   * @throws {Error} anything else: the queue waits and tries again; with what it knows, see `Trouble`.
   */
  write(batch: Batch): Promise<void>
  /**
   * Write several at once, where that is cheaper than one after the other. Of which batch something was refused is not
   * told.
   * @throws as `write()` does
   */
  writeAll?(batches: readonly Batch[]): Promise<void>
  close(): Promise<void>
}

/** What an error of a sink may carry besides its message, for the queue. */
export interface Trouble {
  /** One word, for the log and the counters. */
  readonly reason?: string | undefined
  /** What the server asked for (RFC 9110, Retry-After). */
  readonly retryAfterMs?: number | undefined
  /**
   * Where the cause may be in the batches themselves, so that others may be stored: `batch` when an answer says so,
   * `unknown` when nothing tells a server in trouble from a batch that troubles it. Without it, all batches must wait.
   */
  readonly fault?: 'batch' | 'unknown' | undefined
}

/** The sink's server has said no, and will say no again. */
export class Refused extends Error {
  override name = 'Refused'
  readonly reason: string
  readonly samples: number
  /**
   * @param reason one word for the counter, for example `partial_write`, `unauthorized`
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

/** Of samples with a value that is NaN or infinite: no store has a word for these, the value is left out. */
export function notFinite({ samples }: Batch): Refused | undefined {
  const suspect = samples.filter(({ values }) => INFINITE.some(value => values.includes(value)))
  const isRefused = ({ values }: Sample) => INFINITE.some(value => values.includes(value))
  const { length } = suspect.flatMap(some => [...some.each()]).filter(isRefused)
  if (length === 0) return undefined
  return new Refused('not_finite', length, `${length} samples had a value that is not a finite number`)
}
