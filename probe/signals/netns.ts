import type { Signal } from './signal.ts'

export const netns: Signal = {
  name: 'netns',
  programs: { tcp_socket_scan: 'netns_scan' },
  gives: 'connections older than the probe that no descriptor names, such as those of MPTCP',
  fallback: 'they are counted when they close',
  records: [],
}
