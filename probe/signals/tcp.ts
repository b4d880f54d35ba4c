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
  maps: ({ options: { ringBytes } }) => ({ tcp_flow: ringBytes }),
  grows: ({ options: { maxFlows } }) => [
    { kind: 'slots', map: 'tcp_slot', used: 'tcp', most: maxFlows },
    { kind: 'table', map: 'tcp_elsewhere', used: 'elsewhere', most: maxFlows },
    { kind: 'table', map: 'tcp_refused', used: 'refused', most: 8192 },
    { kind: 'table', map: 'tcp_listener', used: 'listeners', most: 16_384 },
    { kind: 'table', map: 'socket_user', used: 'users', most: 16_384 },
  ],
}
