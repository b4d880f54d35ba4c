/** Columns of network interfaces. */

import type { InterfaceRow } from '../../../collector/view/rows.ts'
import { type Column, name, number } from './column.ts'
import { spark } from './spark.ts'
import { count, rate } from './units.ts'

export interface InterfaceLine extends InterfaceRow {
  readonly host: string
}
type InterfaceColumn = Column<InterfaceLine>

const perSecond = (value: number | null) => count(Math.round(value!))

export const interfaceColumns = (isMany: boolean): InterfaceColumn[] => [
  name('INTERFACE', row => row.name),
  ...(isMany ? [name<InterfaceLine>('HOST', row => row.host, { most: 20, leaves: 3 })] : []),
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
  number('PKT OUT/s', row => row.packetsSentPerSecond, perSecond, { leaves: 2 }),
  number('PKT IN/s', row => row.packetsRcvdPerSecond, perSecond, { leaves: 2 }),
  number(
    'ERRORS',
    row => row.errors,
    value => count(value!),
    {
      style: ({ errors }) => (errors > 0 ? 'bad' : undefined),
    },
  ),
  number(
    'DROPPED',
    row => row.dropped,
    value => count(value!),
    {
      style: ({ dropped }) => (dropped > 0 ? 'warn' : undefined),
    },
  ),
  { title: 'LAST MIN', cell: row => spark(row.trend, 20), right: true, leaves: 4, style: () => 'good' },
]
