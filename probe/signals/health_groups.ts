/** What `--health` names. */

export const HEALTH_GROUPS = ['limits', 'stalls', 'accept', 'queueing', 'throughput'] as const
export type HealthGroup = (typeof HEALTH_GROUPS)[number]

/** Those that lie in cache lines that the report reads anyway. */
export const HEALTH_DEFAULT: readonly HealthGroup[] = ['limits', 'stalls', 'accept']
