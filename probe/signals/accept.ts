import type { Signal } from './signal.ts'
import { use } from './use.ts'

/** A program at the end of one system call makes all system calls of the host slower, by 55 ns each. */
export const accept: Signal = {
  name: 'accept',
  programs: { tcp_accept: 'event', tcp_accept4: 'event' },
  insteadOf: use,
  gives: 'the process that accepts a connection as its owner',
  fallback: 'who listens owns a connection until it is closed',
  records: [],
}
