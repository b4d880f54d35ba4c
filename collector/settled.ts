/**
 * Called once for a batch or a window, when nothing more has to be kept of it: every sink has stored it, or has it on disk,
 * or has refused it for good. False: some of it was dropped and will never be stored.
 */
export type Settled = (isKept?: boolean) => void

/** Call what comes back so many times: `done` is called the last time, with false if one call had it. */
export function afterAll(times: number, done: Settled): Settled {
  let left = times
  let areKept = true
  return (isKept = true) => {
    areKept &&= isKept
    if (--left === 0) done(areKept)
  }
}
