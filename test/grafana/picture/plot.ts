/** What is inside a panel: lines over time, a table, or large numbers. */

import type { Range } from '../replace.ts'
import { topOf, written } from './numbers.ts'
import { COLORS, cut, FAINT, GRID, rect, text } from './svg.ts'

export interface Named {
  readonly name: string
  readonly values: readonly (readonly [time: number, value: number])[]
}

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const [LEFT, BOTTOM, LEGEND] = [62, 14, 12]
/** Lines in the legend. */
const MOST = 4

/** Pieces between gaps: an interval without a value is one. */
function pieces(values: Named['values'], interval: number): Named['values'][] {
  const found: (readonly [number, number])[][] = []
  let before = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value[0] - before > 1.5 * interval) found.push([])
    found.at(-1)!.push(value)
    before = value[0]
  }
  return found
}

const clock = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(11, 19)

export function plot(
  lines: readonly Named[],
  { x, y, width, height }: Box,
  range: Range,
  unit: string,
  isStacked: boolean,
): string {
  const shown = Math.min(lines.length, MOST)
  const [left, right, bottom] = [x + LEFT, x + width - 8, y + height - BOTTOM - LEGEND * shown - 4]
  const drawn = isStacked ? stacked(lines) : lines
  const top = topOf(Math.max(0, ...drawn.flatMap(({ values }) => values.map(([, value]) => value))), unit)
  // an interval may begin before the range
  const atX = (time: number) =>
    Math.round(left + (Math.max(0, time - range.from) / (range.to - range.from)) * (right - left))
  const atY = (value: number) => Math.round(bottom - (value / top) * (bottom - y - 4))
  let svg = ''
  for (let step = 0; step <= 4; step++) {
    const value = (top * step) / 4
    svg += `<path d="M${left} ${atY(value)}H${right}" stroke="${GRID}"/>\n`
    svg += text(left - 6, atY(value) + 3, written(value, unit), `text-anchor="end" fill="${FAINT}"`)
  }
  for (const time of [range.from, (range.from + range.to) / 2, range.to]) {
    const anchor = time === range.from ? 'start' : time === range.to ? 'end' : 'middle'
    svg += text(atX(time), bottom + BOTTOM - 2, clock(time), `text-anchor="${anchor}" fill="${FAINT}"`)
  }
  for (const [at, { values }] of drawn.entries()) {
    const path = pieces(values, range.interval)
      .map(
        piece =>
          piece
            .map(([time, value], index) => `${index === 0 ? 'M' : 'L'}${atX(time)} ${atY(value)}`)
            .join('') + (piece.length === 1 ? 'm-1 0h3' : ''),
      )
      .join('')
    svg += `<path d="${path}" fill="none" stroke="${COLORS[at % COLORS.length]}" stroke-width="1.5"/>\n`
  }
  for (const [at, { name, values }] of lines.slice(0, MOST).entries()) {
    const line = y + height - LEGEND * (shown - at) + 6
    const more = at === MOST - 1 && lines.length > MOST ? `  (+${lines.length - MOST} more)` : ''
    svg += rect(x + 10, line - 5, 10, 3, COLORS[at % COLORS.length]!)
    svg += text(x + 26, line, cut(`${name}${more}`, width - 130))
    const last = values.at(-1)
    if (last) svg += text(x + width - 8, line, written(last[1], unit), 'text-anchor="end"')
  }
  return lines.length > 0 ? svg : svg + text(x + width / 2, y + height / 2, 'no data', 'text-anchor="middle"')
}

/** Each on top of those before it. */
function stacked(lines: readonly Named[]): Named[] {
  const below = new Map<number, number>()
  return lines.map(({ name, values }) => ({
    name,
    values: values.map(([time, value]) => {
      const sum = (below.get(time) ?? 0) + value
      below.set(time, sum)
      return [time, sum] as const
    }),
  }))
}

export function stat(lines: readonly Named[], { x, y, width, height }: Box, unit: string): string {
  const part = width / Math.max(1, lines.length)
  return lines
    .map(({ name, values }, at) => {
      const middle = x + part * (at + 0.5)
      return (
        text(
          middle,
          y + height / 2 + 4,
          written(values.at(-1)?.[1] ?? 0, unit),
          `text-anchor="middle" font-size="22" fill="${COLORS[0]}"`,
        ) + text(middle, y + height - 10, name, 'text-anchor="middle"')
      )
    })
    .join('')
}

const ROW = 16

/** @param head of the columns; the first of them are tags */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { x, y, width, height }: Box,
): string {
  const part = (width - 16) / head.length
  const line = (cells: readonly string[], at: number, more: string) =>
    cells
      .map((cell, column) => text(x + 8 + part * column, y + 10 + ROW * at, cut(cell, part - 4), more))
      .join('')
  const most = Math.floor((height - 20) / ROW)
  return (
    line(head, 0, `fill="${FAINT}"`) +
    rows
      .slice(0, most)
      .map((cells, at) => line(cells, at + 1, ''))
      .join('')
  )
}
