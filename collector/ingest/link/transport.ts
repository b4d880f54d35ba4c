/** How messages come in and answers go out. A transport does not read the messages. */

/** The connection that an answer goes to. Its text identifies it. */
export interface Route {
  toString(encoding?: 'latin1'): string
}

export interface Incoming {
  readonly from: Route
  readonly frames: readonly Buffer[]
  /** The frames are not read any more. */
  done(): void
}

/** An endpoint that listens. */
export interface Transport {
  /** Until it is closed. A message that is not read is not lost: the probe sends it again. */
  readonly messages: AsyncIterable<Incoming>
  /** One at a time. Never fails: an answer to a probe that has gone is dropped. */
  send(to: Route, frames: readonly Buffer[]): Promise<void>
  close(): Promise<void>
}
