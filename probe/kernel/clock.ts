/** The clocks that windows are planned by. */

import { bootTime } from 'bcc-bindings'

export const kernelClock = {
  /** CLOCK_BOOTTIME, nanoseconds. */
  bootNs: bootTime,
  /** Nanoseconds since the epoch; not performance.now(): it does not follow a clock that is set. */
  wallNs: () => BigInt(Date.now()) * 1_000_000n,
}
