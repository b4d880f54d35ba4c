import { cpus } from 'node:os'
import type { Signal } from './signal.ts'
import { use } from './use.ts'

/** Memory for the sums of all CPUs, and their least and largest number. */
const MAX_BYTES = 64 * 2 ** 20
const [FEWEST_SUMS, MAX_SUMS] = [512, 4096]

/** The number of sums that the kernel has room for. @param bytes of one, on one CPU */
export function roomForSums(bytes: number): number {
  const room = Math.floor(MAX_BYTES / (bytes * cpus().length))
  return Math.min(Math.max(room, FEWEST_SUMS), MAX_SUMS)
}

/** Its code is in the programs of `use` and `tcp`. */
export const rttLooks: Signal = {
  name: 'rtt_looks',
  programs: {},
  wanted: ({ rtt }) => rtt !== 'smoothed',
  needs: use,
  gives: 'RTT samples, found where other programs run',
  fallback: 'sock_ops programs are called for them',
  records: [],
  globals: (_, wanted) => ({ rtt_looks: Number(wanted) }),
}

export const rttProbe: Signal = {
  name: 'rtt_probe',
  programs: { tcp_rtt_probe: 'event' },
  wanted: ({ rtt }) => rtt === 'samples',
  needs: rttLooks,
  gives: 'RTT samples of bulk transfers and of MPTCP',
  fallback: 'these flows count with their smoothed round-trip times',
  records: [],
  globals: (_, wanted) => ({ rtt_at_segments: Number(wanted) }),
}

export const rtt: Signal = {
  name: 'rtt',
  programs: { tcp_rtt: 'cgroup' },
  wanted: ({ rtt }) => rtt !== 'smoothed',
  insteadOf: rttLooks,
  gives: 'every RTT sample, where the kernel passes them on',
  fallback: "distributions are made of the kernel's smoothed round-trip times",
  records: ['tcp_total', 'rtt_bucket'],
  // the resets need the map without the samples, too
  grows: ({ sizeOf }) => [
    { kind: 'table', map: 'tcp_total', used: 'totals', most: roomForSums(sizeOf('tcp_total_sums')) },
  ],
}

export const olderRtt: Signal = {
  name: 'older_rtt',
  programs: { tcp_rtt_scan: 'netns_scan' },
  needs: rtt,
  gives: 'every RTT sample of connections older than the probe',
  fallback: "their distributions are made of the kernel's smoothed round-trip times",
  records: [],
}
