/** What the spool keeps beside a message, and which messages of earlier runs can be sent. */

import { type Identity, type Losses, runOf, type WindowKey } from '../../../wire/message.ts'
import type { Found } from '../../../wire/spool/types.ts'
import type { Amount } from '../ledger.ts'
import type { Left } from '../queue.ts'
import type { Runs } from './runs.ts'

/** The head of a record. */
export interface SpooledHead extends WindowKey {
  readonly sequence: number
  /** Sequence of the first message of its window. */
  readonly first: number
  readonly isEnd: boolean
  readonly lost: Losses
}

type Message = Found & { readonly head: SpooledHead }

export interface Reloaded {
  readonly runs: { readonly identity: Identity; readonly first: number; readonly last: number }[]
  /** Whole windows, oldest first; where they are in the row is not known yet. */
  readonly messages: readonly Message[]
  /** Those that cannot be sent: parts of windows. */
  readonly refused: readonly Found[]
  /** Those of a host with another name. */
  readonly others: readonly Found[]
}

const isHead = (head: unknown): head is SpooledHead => {
  const { host, boot, probe, window, sequence } = (head ?? {}) as Partial<SpooledHead>
  return (
    [host, boot, probe].every(text => typeof text === 'string') &&
    [window, sequence].every(Number.isSafeInteger)
  )
}

/** @param found in the order in which they were spooled */
export function reload(found: readonly Found[], host: string): Reloaded {
  const others: Found[] = []
  const messages: Message[] = []
  const refused = found.filter(record => !isHead(record.head))
  const runs = new Map<string, { identity: Identity; first: number; last: number }>()
  const windows = Map.groupBy(
    found.filter((record): record is Message => isHead(record.head)),
    ({ head }) => `${runOf(head)} ${head.window}`,
  )
  for (const all of windows.values()) {
    // a write that failed halfway may have left a message that was written again
    const parts = all.filter(
      ({ head }, index) => all.findIndex(one => one.head.sequence === head.sequence) === index,
    )
    const { head } = parts[0]!
    if (head.host !== host) {
      others.push(...all)
      continue
    }
    const isWhole =
      parts.every((part, index) => part.head.sequence === head.first + index) && parts.at(-1)!.head.isEnd
    const run = runs.get(runOf(head))
    // and windows of a run come in their order
    if (!isWhole || (run && run.last >= head.window)) {
      refused.push(...all)
      continue
    }
    messages.push(...parts)
    refused.push(...all.filter(record => !parts.includes(record)))
    if (run) run.last = head.window
    else runs.set(runOf(head), { identity: head, first: head.window, last: head.window })
  }
  return { runs: [...runs.values()], messages, refused, others }
}

/** @param runs that know those of these messages */
export const leftOf = (messages: readonly Message[], runs: Runs): Left[] =>
  messages.map(({ serial, rows, head }) => {
    const { sequence, isEnd, lost } = head
    return { window: runs.at(head)!, sequence, rows, isEnd, lost, serial }
  })

export const amountIn = (records: Iterable<Pick<Found, 'windows' | 'rows'>>): Amount => {
  const amount = { windows: 0, rows: 0 }
  for (const { windows, rows } of records) {
    amount.windows += windows
    amount.rows += rows
  }
  return amount
}
