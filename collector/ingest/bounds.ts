/** How far a message may be from what its probe sent before. A number further away is no probe's: it would lose all that follows. */

import { MalformedError } from '../../wire/check.ts'

/** Messages, or windows: with one window a second, eleven days. */
const MAX_JUMP = 1_000_000
/** Messages of one window: a probe that was a day away, or at another collector, may have sent more than a million. */
const MAX_MESSAGES = 1000

/**
 * @param last of the same run; -1 before the first
 * @returns why the message is malformed
 */
export function jumpOf(
  { sequence, window }: { readonly sequence: number; readonly window: number },
  last: { readonly sequence: number; readonly closed: number },
): MalformedError | undefined {
  const windows = last.closed < 0 ? 0 : Math.abs(window - last.closed)
  if (isFar(sequence, last.sequence, Math.max(MAX_JUMP, windows * MAX_MESSAGES)))
    return new MalformedError('sequence_jump', `head.sequence jumps from ${last.sequence} to ${sequence}`)
  if (isFar(window, last.closed, MAX_JUMP))
    return new MalformedError('window_jump', `head.window jumps from ${last.closed} to ${window}`)
  return undefined
}

const isFar = (next: number, last: number, most: number): boolean => last >= 0 && Math.abs(next - last) > most
