import type { Signal } from './signal.ts'

export const uring: Signal = {
  name: 'uring',
  programs: { tcp_ring_accept: 'event' },
  gives: 'the process that accepts a connection with io_uring as its owner',
  fallback: 'connections accepted with io_uring are told by their first use',
  records: [],
}
