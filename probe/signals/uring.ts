import type { Signal } from './signal.ts'

export const uring: Signal = {
  name: 'uring',
  programs: { tcp_ring_accept: 'event' },
  gives: 'the process that accepts a connection with io_uring as its owner',
  fallback: 'the owner of a connection accepted with io_uring is known at its first use',
  records: [],
}
