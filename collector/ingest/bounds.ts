/** How far a message may be from what its probe sent before. A number further away is no probe's: it would lose all that follows. */

import { MalformedError } from '../../wire/check.ts'

/** Messages, or windows: with one window a second, eleven days. */
const MAX_JUMP = 1_000_000

/**
 * @param last of the same run; -1 before the first
 * @returns why the message is malformed
 */
export function jumpOf(
  { sequence, window }: { readonly sequence: number; readonly window: number },
  last: { readonly sequence: number; readonly closed: number },
): MalformedError | undefined {
  if (isFar(sequence, last.sequence))
    return new MalformedError('sequence_jump', `head.sequence jumps from ${last.sequence} to ${sequence}`)
  if (isFar(window, last.closed))
    return new MalformedError('window_jump', `head.window jumps from ${last.closed} to ${window}`)
  return undefined
}

const isFar = (next: number, last: number): boolean => last >= 0 && Math.abs(next - last) > MAX_JUMP
