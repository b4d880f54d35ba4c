/** The lines below the table: what is wrong, what the programs say, what keys there are. */

import { printable } from '../../printable.ts'
import type { Line } from '../../terminal/style.ts'
import { fit, width } from '../../width.ts'
import { KEYS } from '../keys.ts'
import type { Around } from './around.ts'

const MOST_TROUBLES = 3

export function belowLines(troubles: readonly string[], { notes = [], size }: Around): Line[] {
  const room = Math.max(0, Math.min(MOST_TROUBLES, size.rows - 10))
  const more = troubles.length - room
  const shown = troubles.slice(0, more > 0 ? room - 1 : room)
  return [
    ...[...shown, ...(more > 0 && room > 0 ? [`and ${troubles.length - shown.length} more`] : [])].map(
      (text): Line => [{ text: `! ${printable(text)}`, style: 'bad' }],
    ),
    ...notes
      .slice(-Math.max(0, size.rows - 12))
      .map((text): Line => [{ text: printable(text), style: 'warn' }]),
  ]
}

export function lastLine({ size: { columns }, next }: Around): Line {
  const labels = KEYS.flatMap(({ label }) => (label ? [label] : []))
  const hint = next ? `next: ${next}` : ''
  while (labels.length > 2 && width(`${labels.join('  ')}  ${hint}`) > columns) labels.splice(-2, 1)
  const left = fit(labels.join('  '), columns)
  // a command that was cut would not work
  const right = width(left) + 2 + width(hint) <= columns ? hint : ''
  return [
    { text: left, style: 'dim' },
    { text: ' '.repeat(columns - width(left) - width(right)) },
    { text: right, style: 'key' },
  ]
}
