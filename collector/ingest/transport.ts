/** How messages come in and answers go out. What a message says is none of its business. */

/** Whom an answer goes to: a transport's own, told apart by its text. */
export interface Route {
  toString(encoding?: 'latin1'): string
}

export interface Incoming {
  readonly from: Route
  readonly frames: readonly Buffer[]
  /** Nobody reads the frames any more. */
  done(): void
}

/** An endpoint that listens. */
export interface Transport {
  /** Until it is closed. A message that is not read is not lost by that: the probe sends it again. */
  readonly messages: AsyncIterable<Incoming>
  /** One at a time. Never fails: a probe that has gone is told nothing. */
  send(to: Route, frames: readonly Buffer[]): Promise<void>
  close(): Promise<void>
}
