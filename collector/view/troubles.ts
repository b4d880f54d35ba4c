/** What a person should look at first, a sentence each. */

import { isHarmless, lossOf } from '../../wire/losses.ts'
import type { Level, TopHost, TopRow, Trouble } from './rows.ts'

type Seen = Pick<TopHost, Level | 'lost' | 'partial'>

/** Of many, the first ones. */
const MOST = 20
/** Less than that is what networks lose anyway; of few segments a share says nothing. */
const RESENT_SHARE = 0.03
const RESENT_LEAST = 20

export const resentShare = ({ retransmits, packetsSent }: TopRow): number | null =>
  packetsSent > 0 ? Math.min(1, retransmits / packetsSent) : null

const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`

/** What is wrong with one row; undefined: nothing. */
const CHECKS: readonly ((row: TopRow) => string | undefined)[] = [
  ({ failed }) =>
    failed > 0
      ? `${count(failed, 'connection')} ended before ${failed === 1 ? 'it was' : 'they were'} established`
      : undefined,
  row => {
    const share = resentShare(row) ?? 0
    return share >= RESENT_SHARE && row.retransmits >= RESENT_LEAST
      ? `${Math.round(share * 100)} % of ${row.packetsSent} segments were sent again`
      : undefined
  },
  ({ udpDropped }) =>
    udpDropped > 0
      ? `${count(udpDropped, 'datagram')} found no room in the socket that ${udpDropped === 1 ? 'it was' : 'they were'} for`
      : undefined,
]

/** @param waiting of connections, from who knows them */
export function troublesOf({ containers, lost }: Seen, waiting: readonly Trouble[]): Trouble[] {
  const ofRows = containers.flatMap(row =>
    CHECKS.flatMap(check => {
      const text = check(row)
      return text === undefined
        ? []
        : [{ text: `${row.name || row.id}: ${text}`, level: 'containers' as const, id: row.id }]
    }),
  )
  const losses = Object.entries(lost).flatMap(([reason, number]) =>
    isHarmless(reason) ? [] : [{ text: sentenceOf(reason, number) }],
  )
  return [...waiting, ...ofRows, ...losses].slice(0, MOST)
}

function sentenceOf(reason: string, number: number): string {
  const known = lossOf(reason)
  const what = `${number} ${known?.unit ?? 'times'} in the last minute (${reason})`
  return known ? `lost: ${what}: ${known.means}; ${known.remedy.replaceAll('`', '')}` : `lost: ${what}`
}
