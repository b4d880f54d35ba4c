/** Times that both programs and the doctor compare with. */

/**
 * Seconds since the epoch, 2024-01-01. An earlier wall clock was never set: Sockflux is younger. A machine without
 * a battery for its clock starts in 1970 or 2000.
 */
export const EARLIEST_S = 1_704_067_200
