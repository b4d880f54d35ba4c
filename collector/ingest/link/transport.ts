/** How messages come in and answers go out. A transport does not read the messages. */

import type { Settled } from '../../settled.ts'

/** The connection that an answer goes to. Its text identifies it. */
export interface Route {
  toString(encoding?: 'latin1'): string
}

export interface Incoming {
  readonly from: Route
  readonly frames: readonly Buffer[]
  /** The frames are not read any more. */
  done(): void
  /**
   * Of a transport that keeps windows itself, with the message that ends one: called once when the window is settled, or is
   * none. No answer is sent then.
   */
  readonly settled?: Settled
  /** Called when everything of this host before this window has been sampled, and nothing of it. */
  readonly border?: (() => void) | undefined
}

/** What is known of a host, and has to be known to go on with it elsewhere. */
export interface HostMemory {
  /** As JSON; undefined when nothing is known. */
  save(host: string): unknown
  /** @param saved what `save` gave, here or elsewhere; what is not understood is left out */
  load(host: string, saved: unknown): void
  forget(host: string): void
}

/** An endpoint that listens. */
export interface Transport {
  /** Until it is closed. A message that is not read is not lost: the probe sends it again. */
  readonly messages: AsyncIterable<Incoming>
  /** One at a time. Never fails: an answer to a probe that has gone is dropped. */
  send(to: Route, frames: readonly Buffer[]): Promise<void>
  close(): Promise<void>
  /** Of a transport with something between us and the probes: what it counts, and by stage and reason what was lost. */
  readonly view?: () => object
  readonly losses?: () => Readonly<Record<string, number>>
}
