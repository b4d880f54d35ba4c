/** conntrack's names of what the kernel's sockets say: `include/net/tcp_states.h` and nf_conntrack_proto_tcp.c. */

import type { STATES } from '../../flows/conversation.ts'

type State = (typeof STATES)[number]

const NAMES: Readonly<Record<State, string>> = {
  '': 'NONE',
  ESTABLISHED: 'ESTABLISHED',
  SYN_SENT: 'SYN_SENT',
  SYN_RECV: 'SYN_RECV',
  NEW_SYN_RECV: 'SYN_RECV',
  // conntrack has one state for a FIN that is not acknowledged and one that is
  FIN_WAIT1: 'FIN_WAIT',
  FIN_WAIT2: 'FIN_WAIT',
  // both have sent a FIN, and one acknowledgement is missing
  CLOSING: 'LAST_ACK',
  LAST_ACK: 'LAST_ACK',
  CLOSE_WAIT: 'CLOSE_WAIT',
  TIME_WAIT: 'TIME_WAIT',
  CLOSE: 'CLOSE',
  LISTEN: 'NONE',
}

export const conntrackState = (state: string): string => NAMES[state as State] ?? 'NONE'
