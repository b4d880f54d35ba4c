import type { Signal } from './signal.ts'

export const use: Signal = {
  name: 'use',
  programs: { socket_send: 'event', socket_recv: 'event', tcp_user_scan: 'user_scan' },
  gives: 'the last user of a socket as its owner',
  fallback: 'a connection belongs to the process that accepted it',
  records: [],
}
