/** Where facts of the cluster come from. */

import type { Receiver } from './held/held.ts'

export interface Source {
  /** For people: the address of a server, a path. */
  readonly name: string
  /** Puts what it reads there, until it is closed. @returns when everything was read once, or could not be */
  start(into: Receiver): Promise<void>
  close(): Promise<void>
  /** Questions that had no good answer, and documents that could not be read. */
  readonly unanswered: number
  readonly unreadable: number
}
