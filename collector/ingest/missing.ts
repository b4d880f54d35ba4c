/** Windows of a run that never came: the indices that it counted and of which there is nothing. */

import type { WindowHead } from '../../wire/message.ts'

export interface Missing {
  readonly window: number
  /** The label that it has, or most likely had: seconds since the epoch. */
  readonly time: number
}

/** A run tells of so many at once; of a longer gap some, spread over it. */
const MAX_MISSING = 1000

/**
 * @param last the window that ended last, and its label
 * @param head of the window that ended now
 * @param isThere whether some of a window has come
 * @returns oldest first. The first window of a run is none of them: it is never stored
 */
export function missingBetween(
  last: { readonly window: number; readonly time: number },
  { window, time, interval }: Pick<WindowHead, 'window' | 'time' | 'interval'>,
  isThere: (window: number) => boolean,
): Missing[] {
  const first = Math.max(last.window + 1, 1)
  const step = Math.max(1, Math.ceil((window - first) / MAX_MISSING))
  const missing: Missing[] = []
  for (let index = first; index < window; index += step) {
    const label = time - (window - index) * interval
    // a clock that was set back may have fewer intervals behind it
    if (!isThere(index) && label > last.time) missing.push({ window: index, time: label })
  }
  return missing
}
