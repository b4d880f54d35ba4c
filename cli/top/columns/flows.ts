/** Columns of conversations: all of them, and those of one container, pod or process. */

import type { Conversation, End } from '../../../collector/flows/conversation.ts'
import { clientName, type Side, seenFrom, serverName } from '../ends.ts'
import { type Column, name, number } from './column.ts'
import { age, amount, count, milliseconds, rate } from './units.ts'

export interface FlowLine {
  readonly conversation: Conversation
  /** Of its window, seconds. */
  readonly interval: number
  /** From where it is seen. */
  readonly side: Side
}
type FlowColumn = Column<FlowLine>

/** A SYN is sent again after one second: an answer that takes longer is late. */
const LATE_SECONDS = 3

const rttOf = (...ends: readonly (End | undefined)[]): number | null => {
  const us = ends.find(end => end?.rttUs !== undefined)?.rttUs
  return us === undefined ? null : us / 1000
}
const seen = ({ conversation, side }: FlowLine) => seenFrom(conversation, side)
export const isWaiting = ({ state, opened }: Conversation, now: number): boolean =>
  state === 'SYN_SENT' && now - opened >= LATE_SECONDS

const STATES: Readonly<Record<string, string>> = { ESTABLISHED: 'open', CLOSE: 'closed', '': '-' }
const state: FlowColumn = {
  ...name('STATE', ({ conversation }) => STATES[conversation.state] ?? conversation.state.toLowerCase(), {
    least: 6,
  }),
  style: ({ conversation: { state } }) =>
    state === 'SYN_SENT' || state === 'SYN_RECV' ? 'bad' : state === 'CLOSE' ? 'dim' : undefined,
}
const old: FlowColumn = {
  title: 'AGE',
  cell: ({ conversation }, { now }) => age((conversation.closed ?? now) - conversation.opened),
  value: ({ conversation }) => -conversation.opened,
  right: true,
  leaves: 3,
}
const protocol: FlowColumn = name('PROTO', ({ conversation }) => conversation.protocol, {
  least: 5,
  leaves: 7,
})
const sent: FlowColumn = number(
  'SENT/s',
  line => seen(line).window.sent / line.interval,
  (value, { unit }) => rate(value!, unit),
)
const rcvd: FlowColumn = number(
  'RCVD/s',
  line => seen(line).window.rcvd / line.interval,
  (value, { unit }) => rate(value!, unit),
)
const bytes: FlowColumn = number(
  'BYTES',
  line => seen(line).total.sent + seen(line).total.rcvd,
  (value, { unit }) => amount(value!, unit),
  { leaves: 5 },
)
const retransmits = (of: (line: FlowLine) => readonly (End | undefined)[]): FlowColumn =>
  number(
    'RETR',
    line => of(line).reduce((sum, end) => sum + (end?.retransmits ?? 0), 0),
    value => count(value!),
    {
      style: line => (of(line).some(end => (end?.windowRetransmits ?? 0) > 0) ? 'warn' : undefined),
    },
  )
const bothOf = ({ conversation: { client, server } }: FlowLine) => [client, server]

export const flowColumns: readonly FlowColumn[] = [
  protocol,
  name('CLIENT', ({ conversation }) => clientName(conversation), { least: 14 }),
  name('SERVER', ({ conversation }) => serverName(conversation), { least: 20, most: 40 }),
  name('BY', ({ conversation: { client, server } }) => (client ?? server)?.process ?? '', {
    leaves: 8,
    most: 20,
  }),
  sent,
  rcvd,
  bytes,
  number('RTT ms', line => rttOf(...bothOf(line)), milliseconds),
  retransmits(bothOf),
  state,
  old,
]

/** Seen from the one whose connections they are. */
export const connectionColumns: readonly FlowColumn[] = [
  name('PEER', line => seen(line).peer, { least: 20, most: 40 }),
  name('ROLE', ({ side }) => side, { least: 6 }),
  name('PROCESS', line => seen(line).near?.process ?? '', { least: 8, most: 20, leaves: 6 }),
  protocol,
  sent,
  rcvd,
  bytes,
  number('RTT ms', line => rttOf(seen(line).near), milliseconds),
  retransmits(line => [seen(line).near]),
  state,
  old,
]
