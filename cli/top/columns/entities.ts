/** Columns of containers, pods, namespaces, programs and processes. */

import { rateOf } from '../../../collector/view/row_of.ts'
import type { TopRow } from '../../../collector/view/rows.ts'
import { resentShare } from '../../../collector/view/troubles.ts'
import { type Column, name, number } from './column.ts'
import { spark } from './spark.ts'
import { count, milliseconds, rate, share } from './units.ts'

/** With what the terminal adds. */
export interface EntityRow extends TopRow {
  readonly host: string
  /** Names of those that it talks to, the busiest first. */
  readonly talksWith: readonly string[]
}
type EntityColumn = Column<EntityRow>

const SPARK_COLUMNS = 8
/** Above these a number is coloured. */
const SLOW_MS = 100
const RESENT = { warn: 0.01, bad: 0.05 }

export const sent: EntityColumn = number(
  'SENT/s',
  row => row.sentPerSecond,
  (value, { unit }) => rate(value!, unit),
)
export const rcvd: EntityColumn = number(
  'RCVD/s',
  row => row.rcvdPerSecond,
  (value, { unit }) => rate(value!, unit),
)
export const total: EntityColumn = number('RATE', rateOf, (value, { unit }) => rate(value!, unit))
const client: EntityColumn = number(
  'CLIENT',
  row => row.asClient,
  value => count(value!),
)
const server: EntityColumn = number(
  'SERVER',
  row => row.asServer,
  value => count(value!),
)
export const flows: EntityColumn = number(
  'FLOWS',
  row => row.asClient + row.asServer,
  value => count(value!),
)
const opened: EntityColumn = number(
  'NEW/s',
  row => row.openedPerSecond,
  value => (value === 0 ? '0' : value! < 9.95 ? value!.toFixed(1) : count(Math.round(value!))),
  { leaves: 7 },
)
const rtt: EntityColumn = number('RTT ms', row => row.rttP50 ?? row.rtt, milliseconds, {
  leaves: 1,
  style: row => ((row.rttP50 ?? 0) >= SLOW_MS ? 'warn' : undefined),
})
const p95: EntityColumn = number('p95', row => row.rttP95, milliseconds, {
  leaves: 5,
  style: row => ((row.rttP95 ?? 0) >= SLOW_MS ? 'warn' : undefined),
})
const retransmits: EntityColumn = number(
  'RETR',
  row => row.retransmits,
  value => count(value!),
  {
    style: row => {
      const resent = resentShare(row) ?? 0
      return resent >= RESENT.bad ? 'bad' : resent >= RESENT.warn ? 'warn' : undefined
    },
  },
)
const resent: EntityColumn = number('RETR%', resentShare, value => share(value), { leaves: 9 })
/** Connections that failed in the window, and those that are still without an answer. */
const failed: EntityColumn = {
  ...number<EntityRow>(
    'FAIL',
    row => row.failed + row.waiting,
    (_, __, row) => (row.waiting > 0 ? `${row.failed + row.waiting} SYN!` : count(row.failed)),
  ),
  style: row => (row.failed + row.waiting > 0 ? 'bad' : undefined),
}
const trend: EntityColumn = {
  title: 'LAST MIN',
  cell: row => spark(row.trend, SPARK_COLUMNS),
  right: true,
  leaves: 6,
  style: () => 'good',
}

const NUMBERS = [sent, rcvd, client, server, opened, rtt, p95, retransmits, resent, failed, trend]

const host: EntityColumn = name('HOST', row => row.host, { leaves: 5, most: 20 })
const pod: EntityColumn = name('POD', row => row.pod || '-', { leaves: 4, most: 28 })
const namespace: EntityColumn = name('NAMESPACE', row => row.namespace || '-', { leaves: 10, most: 20 })
const owner: EntityColumn = name('OWNER', row => row.owner, { leaves: 3, most: 24 })
const parts = (title: string): EntityColumn =>
  number(
    title,
    row => row.parts,
    value => count(value!),
    { leaves: 7 },
  )
const talksWith: EntityColumn = {
  title: 'TALKS WITH',
  cell: ({ talksWith }) => talksWith.join(', '),
  leaves: 2,
  least: 10,
  most: 60,
}
/** The command behind a name: `/usr/bin/wget, of bash, uid 33`. */
const command: EntityColumn = {
  title: 'COMMAND',
  cell: ({ process }) =>
    process ? `${process.exe || process.comm}, of ${process.parent_comm}, uid ${process.uid}` : '',
  leaves: 10,
  least: 24,
  most: 60,
}

const called = (title: string): EntityColumn =>
  name(title, row => row.name || row.id, { least: 12, style: row => (row.name === '' ? 'dim' : undefined) })

/** `isMany`: there are several hosts. */
const withHost = (isMany: boolean): EntityColumn[] => (isMany ? [host] : [])

export const containerColumns = (isMany: boolean): EntityColumn[] => [
  called('CONTAINER'),
  ...[pod, namespace, ...withHost(isMany), ...NUMBERS],
]
export const podColumns = (isMany: boolean): EntityColumn[] => [
  called('POD'),
  ...[{ ...namespace, leaves: 4 }, ...withHost(isMany), parts('CONTAINERS'), ...NUMBERS],
]
export const namespaceColumns = (isMany: boolean): EntityColumn[] => [
  called('NAMESPACE'),
  ...[...withHost(isMany), parts('PODS'), ...NUMBERS],
]
export const processColumns = (isMany: boolean): EntityColumn[] => [
  {
    ...number<EntityRow>(
      'PID',
      row => Number(row.id),
      value => String(value),
    ),
    least: 5,
  },
  ...[called('PROCESS'), owner, pod, ...withHost(isMany), ...NUMBERS, command],
]
export const programColumns = (isMany: boolean): EntityColumn[] => [
  called('PROCESS (by program)'),
  ...[owner, ...withHost(isMany), total, { ...parts('N'), leaves: 5 }, flows, talksWith],
]
