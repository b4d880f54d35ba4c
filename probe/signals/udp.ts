/** UDP conversations: their rows, and two ways to count them. */

import type { Signal } from './signal.ts'
import { use } from './use.ts'

/** Its programs note the addresses; those of `use` count. */
export const udpCalls: Signal = {
  name: 'udp_calls',
  // a balancer changes the address that is sent to, and changes it back when the answer is received
  programs: {
    udp_send4: 'cgroup_first',
    udp_send6: 'cgroup_first',
    udp_recv4: 'cgroup',
    udp_recv6: 'cgroup',
  },
  wanted: ({ udp }) => udp === 'calls',
  needs: use,
  gives: 'UDP conversations as their programs see them',
  fallback: 'UDP is counted in packets',
  records: [],
  globals: (_, wanted) => ({ udp_at_calls: Number(wanted) }),
}

export const udpPackets: Signal = {
  name: 'udp_packets',
  programs: { udp_flow_egress: 'cgroup', udp_flow_ingress: 'cgroup', udp_create: 'cgroup' },
  wanted: ({ udp }) => udp !== 'off',
  insteadOf: udpCalls,
  gives: 'UDP conversations in packets',
  fallback: 'UDP is not counted',
  records: [],
}

export const udp: Signal = {
  name: 'udp',
  programs: { udp_flow_report: 'report' },
  needsOneOf: [udpCalls, udpPackets],
  gives: 'UDP conversations',
  fallback: 'UDP is not counted',
  records: ['udp_flow'],
  ring: { record: 'udp_flow', reader: 'flows' },
  flows: { row: { record: 'udp_flow', page: 'udp_flow_page' }, tellsClose: false },
  globals: ({ maxUdpFlows }) => ({ max_udp_flows: maxUdpFlows }),
  grows: ({ options: { maxUdpFlows }, wanted }) =>
    wanted
      ? [
          { kind: 'slots', map: 'udp_slot', used: 'udp', most: maxUdpFlows },
          { kind: 'table', map: 'udp_conversation', used: 'conversations', most: maxUdpFlows },
          { kind: 'table', map: 'udp_first', used: 'firsts', most: 8192 },
          { kind: 'table', map: 'udp_alias', used: 'aliases', most: 8192 },
        ]
      : [],
}

export const udpDrops: Signal = {
  name: 'udp_drops',
  programs: { udp_drop: 'event' },
  needs: udp,
  gives: 'datagrams that a socket had no room for',
  fallback: 'they are not counted',
  records: [],
}
