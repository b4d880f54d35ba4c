import type { Signal } from './signal.ts'

export const resets: Signal = {
  name: 'resets',
  programs: { tcp_send_reset: 'event', tcp_receive_reset: 'event' },
  gives: 'connections that were reset',
  fallback: 'resets are not counted',
  records: ['tcp_total'],
}
