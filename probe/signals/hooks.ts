/** What the kernel side is made of: its programs in groups, of which only the first must work. */

export interface Hooks {
  readonly name: 'tcp' | 'accept' | 'uring' | 'use' | 'netns' | 'rtt' | 'older_rtt' | 'resets' | 'udp'
  /** Programs of `bpf/`: together they work, or none does. */
  readonly programs: readonly string[]
  /** What is there with them. */
  readonly gives: string
  /** What goes on without them. */
  readonly without?: string
}

export const HOOKS: readonly Hooks[] = [
  {
    name: 'tcp',
    programs: ['tcp_flow_state', 'tcp_flow_report', 'listener_scan', 'tcp_flow_scan'],
    gives: 'TCP connections',
  },
  {
    name: 'accept',
    programs: ['tcp_accept', 'tcp_accept4'],
    gives: 'the process that accepts a connection as its owner',
    without: 'who listens owns a connection until it is used',
  },
  {
    name: 'uring',
    programs: ['tcp_ring_accept'],
    gives: 'the process that accepts a connection with io_uring as its owner',
    without: 'connections accepted with io_uring are told by their first use',
  },
  {
    name: 'use',
    programs: ['socket_send', 'socket_recv'],
    gives: 'the last user of a socket as its owner',
    without: 'connections stay with the process that accepted them',
  },
  {
    name: 'netns',
    programs: ['tcp_socket_scan'],
    gives: 'connections older than the probe that no descriptor names, such as those of MPTCP',
    without: 'they are counted when they close',
  },
  {
    name: 'rtt',
    programs: ['tcp_rtt'],
    gives: 'every RTT sample, where the kernel passes them on',
    without: "distributions are made of the kernel's smoothed round-trip times",
  },
  {
    name: 'older_rtt',
    programs: ['tcp_rtt_scan'],
    gives: 'every RTT sample of connections older than the probe',
    without: "their distributions are made of the kernel's smoothed round-trip times",
  },
  {
    name: 'resets',
    programs: ['tcp_send_reset', 'tcp_receive_reset'],
    gives: 'connections that were reset',
    without: 'resets are not counted',
  },
  {
    name: 'udp',
    programs: ['udp_flow_egress', 'udp_flow_ingress', 'udp_create', 'udp_flow_report'],
    gives: 'UDP conversations',
    without: 'UDP is not counted',
  },
]

export const hooksOf = (program: string): Hooks | undefined =>
  HOOKS.find(({ programs }) => programs.includes(program))
