/** Everything that is known of one connection. */

import type { Conversation, End } from '../../../collector/flows/conversation.ts'
import { printable } from '../../printable.ts'
import type { Line } from '../../terminal/style.ts'
import { age, amount, count, milliseconds, type Unit } from '../columns/units.ts'
import { addressOf, clientName, serverName } from '../ends.ts'

type Known = readonly (readonly [string, string | undefined])[]

const time = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace('T', ' ').replace('Z', ' UTC')
const ms = (us: number | undefined): string | undefined =>
  us === undefined ? undefined : `${milliseconds(us / 1000)} ms`

/** Labels are as wide as the widest; what is not known is left out. */
export function detailLines(conversation: Conversation, unit: Unit, now: number): Line[] {
  const { client, server, protocol, state } = conversation
  return [
    [
      {
        text: `${clientName(conversation)} → ${serverName(conversation)}  ${protocol} ${state}`,
        style: 'title' as const,
      },
    ],
    [],
    ...part('CONNECTION', wholeOf(conversation, unit, now)),
    ...part('CLIENT', client ? endOf(client) : [['', 'not watched by any probe']]),
    ...part('SERVER', server ? endOf(server) : [['', 'not watched by any probe']]),
  ].map(line => line.map(({ text, ...style }) => ({ text: printable(text), ...style })))
}

const LABEL = 16

function part(title: string, known: Known): Line[] {
  const lines = known.flatMap(([label, value]): Line[] =>
    value === undefined || value === ''
      ? []
      : [[{ text: ` ${label.padEnd(LABEL)}`, style: 'dim' as const }, { text: value }]],
  )
  return [[{ text: title, style: 'key' as const }], ...lines]
}

function wholeOf(conversation: Conversation, unit: Unit, now: number): Known {
  const { source, asked, answered, seenAs, opened, closed, connectUs, total, reporter } = conversation
  const carried = (bytes: number, packets: number) => `${amount(bytes, unit)}, ${count(packets)} packets`
  return [
    ['from', addressOf(source)],
    ['asked for', addressOf(asked)],
    ['answered by', answered && addressOf(answered) !== addressOf(asked) ? addressOf(answered) : undefined],
    ['seen as', seenAs && addressOf(seenAs)],
    [
      'opened',
      `${time(opened)}, ${age(now - opened)} ago${conversation.partial ? '; watched since later' : ''}`,
    ],
    ['closed', closed === undefined ? undefined : time(closed)],
    ['connected in', ms(connectUs)],
    ['client sent', carried(total.bytes, total.packets)],
    ['server sent', carried(total.revBytes, total.revPackets)],
    [
      'subnets',
      conversation.clientSubnet || conversation.serverSubnet
        ? `${conversation.clientSubnet ?? '-'} → ${conversation.serverSubnet ?? '-'}`
        : undefined,
    ],
    ['known from', reporter === 'both' ? 'both ends' : `the ${reporter}'s end`],
    ['remark', remarkOf(conversation)],
  ]
}

const remarkOf = ({ abandoned, ambiguous }: Conversation): string | undefined =>
  abandoned
    ? 'its probe is gone: nobody sees how it goes on'
    : ambiguous
      ? 'more than two sockets have its sequence numbers: the ends are not joined'
      : undefined

function endOf(end: End): Known {
  const container = [end.containerName, end.container].filter(Boolean).join(' ')
  return [
    ['process', `${end.process}, pid ${end.pid}${end.guessed ? ' (who listens: no user was seen yet)' : ''}`],
    ['program', end.exe],
    ['parent', end.parent && `${end.parent}, pid ${end.ppid}`],
    ['user', end.uid === undefined ? undefined : `uid ${end.uid}`],
    ['container', container && `${container}${end.runtime ? ` (${end.runtime})` : ''}`],
    ['pod', end.pod && `${end.namespace}/${end.pod}`],
    [
      'labels',
      end.labels &&
        Object.entries(end.labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(', '),
    ],
    ['host', end.host],
    ['network ns', String(end.netns)],
    ['socket', `sk:${end.socket}`],
    ['RTT', rttOf(end)],
    ['retransmits', `${end.retransmits}, ${end.windowRetransmits} in the last window`],
    ['taken for lost', end.lost > 0 ? String(end.lost) : undefined],
  ]
}

function rttOf({ rttUs, rttVarUs, rttMinUs, rttSamples }: End): string | undefined {
  if (rttUs === undefined) return undefined
  const least = rttMinUs === undefined ? '' : `, least ${ms(rttMinUs)} of ${count(rttSamples ?? 0)} samples`
  return `${ms(rttUs)} ± ${ms(rttVarUs)}${least}`
}
