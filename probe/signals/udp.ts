import type { Signal } from './signal.ts'

export const udp: Signal = {
  name: 'udp',
  programs: {
    udp_flow_egress: 'cgroup',
    udp_flow_ingress: 'cgroup',
    udp_create: 'cgroup',
    udp_flow_report: 'report',
  },
  wanted: ({ udp }) => udp,
  gives: 'UDP conversations',
  fallback: 'UDP is not counted',
  records: ['udp_flow'],
  ring: { record: 'udp_flow', reader: 'flows' },
  flows: { row: { record: 'udp_flow', page: 'udp_flow_page' }, tellsClose: false },
  globals: ({ maxUdpFlows }) => ({ max_udp_flows: maxUdpFlows }),
  maps: ({ options: { maxUdpFlows }, wanted }) => {
    const flows = wanted ? maxUdpFlows : 1
    return { udp_slot: flows, udp_conversation: flows }
  },
}
