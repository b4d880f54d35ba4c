/** Why flows are slow: what is read of the sockets that the report reads anyway, by group. */

import { tickTime } from 'bcc-bindings'
import type { Signal } from './signal.ts'

/** Its program only shows whether the kernel has the fields. */
export const timeouts: Signal = {
  name: 'timeouts',
  programs: { tcp_timeouts: 'never' },
  wanted: ({ health }) => health.includes('stalls'),
  gives: 'retransmission time-outs of TCP, and the time lost in them',
  fallback: 'the fields timeouts, recoveries and stalled are not written',
  records: [],
  globals: (_, wanted) => ({ read_timeouts: Number(wanted) }),
}

/** Rows beside those of flows; its code is in the programs of `tcp`. */
export const health: Signal = {
  name: 'health',
  programs: {},
  gives: 'why TCP connections are slow',
  records: ['tcp_health'],
  ring: { record: 'tcp_health', reader: 'flows' },
  flows: { row: { record: 'tcp_health', page: 'tcp_health_page' }, tellsClose: false },
  globals: ({ health }) => ({
    jiffy_us: Number(tickTime() / 1000n),
    read_limits: Number(health.includes('limits')),
    read_stalls: Number(health.includes('stalls')),
    read_queueing: Number(health.includes('queueing')),
    read_throughput: Number(health.includes('throughput')),
  }),
  maps: ({ options: { ringBytes } }) => ({ tcp_health: Math.max(ringBytes / 4, 65_536) }),
}

export const listeners: Signal = {
  name: 'listeners',
  programs: { tcp_listen_report: 'report' },
  wanted: ({ health }) => health.includes('accept'),
  gives: 'the queues of listening sockets',
  fallback: 'they are not reported',
  records: ['tcp_listen'],
  flows: { row: { record: 'tcp_listen', page: 'tcp_listen_page' } },
  globals: (_, wanted) => ({ listens: Number(wanted) }),
}
