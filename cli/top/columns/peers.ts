/** Columns of who talks to whom. */

import type { PeerRow } from '../../../collector/view/peers.ts'
import { type Column, name, number } from './column.ts'
import { count, milliseconds, rate } from './units.ts'

type PeerColumn = Column<PeerRow>

export const peerColumns: readonly PeerColumn[] = [
  name('CLIENT', ({ client }) => client.name, { least: 14 }),
  name('BY', ({ client }) => client.process, { leaves: 6, most: 20 }),
  name('SERVER', ({ server, port }) => `${server.name}:${port}`, { least: 20, most: 40 }),
  name('AT', ({ server }) => server.process, { leaves: 6, most: 20 }),
  name('PROTO', ({ protocol }) => protocol, { least: 5, leaves: 7 }),
  number(
    'FLOWS',
    row => row.flows,
    value => count(value!),
  ),
  number(
    'SENT/s',
    row => row.sentPerSecond,
    (value, { unit }) => rate(value!, unit),
  ),
  number(
    'RCVD/s',
    row => row.rcvdPerSecond,
    (value, { unit }) => rate(value!, unit),
  ),
  number('RTT ms', row => row.rtt, milliseconds),
  number(
    'RETR',
    row => row.retransmits,
    value => count(value!),
    {
      style: ({ retransmits }) => (retransmits > 0 ? 'warn' : undefined),
    },
  ),
  number(
    'SYN!',
    row => row.waiting,
    value => count(value!),
    {
      style: ({ waiting }) => (waiting > 0 ? 'bad' : undefined),
      leaves: 3,
    },
  ),
]
