/** Conversations for people: one line each, from client to server. */

import type { Conversation } from '../../collector/flows/conversation.ts'
import { FIGURES, type FlowRecord, TEXTS } from '../../collector/flows/record.ts'
import { tableOf } from '../format.ts'

/** A record as it is stored: texts and numbers by name. */
export type Row = Readonly<Record<string, string | number | null | undefined>>

const text = (row: Row, name: string): string => String(row[name] ?? '')
const end = (row: Row, side: 'client' | 'server'): string =>
  text(row, `${side}_process`) || text(row, `${side}_node`) || text(row, `${side}_subnet`) || '?'
const ms = (us: Row[string]): string =>
  us === null || us === undefined ? '' : (Number(us) / 1000).toFixed(3)

/** Names as other tools for flow records have them, then ours. */
const COLUMNS: readonly (readonly [string, (row: Row) => string | number])[] = [
  ['SRC_IP', row => text(row, 'source_ip')],
  ['DST_IP', row => text(row, 'answered_ip') || text(row, 'asked_ip')],
  ['SPORT', row => text(row, 'source_port')],
  ['DPORT', row => text(row, 'answered_port') || text(row, 'asked_port')],
  ['PROTO', row => text(row, 'protocol').toUpperCase()],
  [
    'SRC_POD',
    row => text(row, 'client_pod') || text(row, 'client_container_name') || text(row, 'client_host'),
  ],
  [
    'DST_POD',
    row => text(row, 'server_pod') || text(row, 'server_container_name') || text(row, 'server_host'),
  ],
  ['SRC_NS', row => text(row, 'client_namespace')],
  ['DST_NS', row => text(row, 'server_namespace')],
  ['SERVICE', asked],
  ['CLIENT', row => end(row, 'client')],
  ['SERVER', row => end(row, 'server')],
  ['STATE', row => text(row, 'state')],
  ['BYTES', row => Number(row['bytes'] ?? 0)],
  ['REV_BYTES', row => Number(row['rev_bytes'] ?? 0)],
  ['RTT_MS', row => ms(row['client_rtt_us'] ?? row['server_rtt_us'])],
  ['RESENT', row => Number(row['client_retransmits'] ?? 0) + Number(row['server_retransmits'] ?? 0)],
]

/** The Service, as `namespace/name:port`, or the address that was asked, where another one answered. */
function asked(row: Row): string {
  const service = text(row, 'service')
  if (service) return `${text(row, 'service_namespace')}/${service}:${text(row, 'service_port')}`
  const [ip, port] = [text(row, 'asked_ip'), text(row, 'asked_port')]
  const isOther = row['answered_ip'] && (row['answered_ip'] !== ip || text(row, 'answered_port') !== port)
  return isOther ? `${ip.includes(':') ? `[${ip}]` : ip}:${port}` : ''
}

export const flowsTable = (rows: readonly Row[]): string =>
  tableOf(
    COLUMNS.map(([name]) => name),
    rows.map(row => COLUMNS.map(([, cell]) => cell(row))),
  )

/** A live conversation with the names of the table. */
export function rowOf(conversation: Conversation): Row {
  const record: FlowRecord = { conversation, reason: 'active', since: conversation.window }
  return Object.fromEntries(
    [
      ['time', conversation.seen],
      ...TEXTS.map(({ name, text }) => [name, text(record)]),
      ...FIGURES.map(({ name, number }) => [name, number(record)]),
    ].filter(([, value]) => value !== undefined),
  )
}
