import type { Signal } from './signal.ts'

export const accept: Signal = {
  name: 'accept',
  programs: { tcp_accept: 'event', tcp_accept4: 'event' },
  gives: 'the process that accepts a connection as its owner',
  fallback: 'who listens owns a connection until it is used',
  records: [],
}
