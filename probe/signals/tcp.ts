import type { Signal } from './signal.ts'

export const tcp: Signal = {
  name: 'tcp',
  programs: {
    tcp_flow_state: 'event',
    tcp_flow_report: 'report',
    listener_scan: 'scan', // before the connections: listeners decide their role
    tcp_flow_scan: 'scan',
  },
  gives: 'TCP connections',
  records: ['tcp_flow', 'tcp_update'],
  ring: { record: 'tcp_flow', reader: 'flows' },
  flows: {
    row: { record: 'tcp_flow', page: 'tcp_flow_page' },
    update: { record: 'tcp_update', page: 'tcp_update_page' },
    beside: { record: 'tcp_health', page: 'tcp_health_page' },
    tellsClose: true,
  },
  globals: ({ maxFlows, ringBytes }) => ({ max_tcp_flows: maxFlows, tcp_flow_wake_bytes: ringBytes / 2 }),
  maps: ({ options: { maxFlows, ringBytes } }) => ({
    tcp_slot: maxFlows,
    tcp_elsewhere: maxFlows,
    tcp_flow: ringBytes,
  }),
}
