/** Columns of network interfaces. */

import type { InterfaceRow } from '../../../collector/view/rows.ts'
import { bytesPerSecond, type Column, faults, name, number } from './column.ts'
import { spark } from './spark.ts'
import { count } from './units.ts'

export interface InterfaceLine extends InterfaceRow {
  readonly host: string
}
type InterfaceColumn = Column<InterfaceLine>

const perSecond = (value: number | null) => count(Math.round(value!))

export const interfaceColumns = (isMany: boolean): InterfaceColumn[] => [
  name('INTERFACE', row => row.name),
  ...(isMany ? [name<InterfaceLine>('HOST', row => row.host, { most: 20, leaves: 3 })] : []),
  bytesPerSecond('SENT/s', row => row.sentPerSecond),
  bytesPerSecond('RCVD/s', row => row.rcvdPerSecond),
  number('PKT OUT/s', row => row.packetsSentPerSecond, perSecond, { leaves: 2 }),
  number('PKT IN/s', row => row.packetsRcvdPerSecond, perSecond, { leaves: 2 }),
  faults('ERRORS', row => row.errors, 'bad'),
  faults('DROPPED', row => row.dropped, 'warn'),
  { title: 'LAST MIN', cell: row => spark(row.trend, 20), right: true, leaves: 4, style: () => 'good' },
]
