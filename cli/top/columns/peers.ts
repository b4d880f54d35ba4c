/** Columns of who talks to whom. */

import type { PeerRow } from '../../../collector/view/peers.ts'
import { bytesPerSecond, type Column, faults, name, number } from './column.ts'
import { count, milliseconds } from './units.ts'

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
  bytesPerSecond('SENT/s', row => row.sentPerSecond),
  bytesPerSecond('RCVD/s', row => row.rcvdPerSecond),
  number('RTT ms', row => row.rtt, milliseconds),
  faults('RETR', row => row.retransmits, 'warn'),
  faults('SYN!', row => row.waiting, 'bad', { leaves: 3 }),
]
