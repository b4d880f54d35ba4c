/** What has to be counted, kept by whoever drives the workload, from what it did and between which moments. */

import { windowAt } from './windows.ts'

export type Role = 'client' | 'server'

/** The first and the last window in which something may have happened; the same, unless the machine was slow. */
type Span = readonly [number, number]

interface Conversations {
  /** Who connected, and who accepted; each has one flow for each of these conversations. */
  readonly client: string
  readonly server: string
  readonly count: number
  readonly opened: Span
  closed: Span
}

/** The probe reads the wall clock in milliseconds, so a window's end is that much unsure. */
const UNSURE_MS = 5
const STILL_OPEN: Span = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]

async function spanOf(action: () => Promise<unknown>): Promise<Span> {
  const before = windowAt(Date.now() - UNSURE_MS)
  await action()
  return [before, windowAt(Date.now() + UNSURE_MS)]
}

export class Ledger {
  readonly #entries: Conversations[] = []

  /** `action` opens the conversations, and returns when both ends are open. */
  async opens(client: string, server: string, count: number, action: () => Promise<unknown>) {
    const entry = { client, server, count, opened: await spanOf(action), closed: STILL_OPEN }
    this.#entries.push(entry)
    return entry
  }

  /** `action` closes them, and returns when neither end is there any more. */
  async closes(entry: Conversations, action: () => Promise<unknown>): Promise<void> {
    entry.closed = await spanOf(action)
  }

  /** `action` opens and closes the conversations. */
  async passes(client: string, server: string, count: number, action: () => Promise<unknown>): Promise<void> {
    const entry = await this.opens(client, server, count, action)
    entry.closed = entry.opened
  }

  /** The fewest and the most flows that `who` had with this role in a window. */
  flows(names: string, role: Role, window: number): { least: number; most: number } {
    let least = 0
    let most = 0
    for (const entry of this.#entries.filter(entry => entry[role] === names)) {
      if (entry.opened[0] <= window && window <= entry.closed[1]) most += entry.count
      if (entry.opened[1] <= window && window <= entry.closed[0]) least += entry.count
    }
    return { least, most }
  }
}
