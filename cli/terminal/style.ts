/** Text with a meaning, and how a terminal shows it. */

import { fit, width } from '../width.ts'

/** What a piece of text means; its colour says so. */
export type Style = 'title' | 'dim' | 'good' | 'warn' | 'bad' | 'key' | 'selected'

export interface Span {
  readonly text: string
  readonly style?: Style | undefined
}

export type Line = readonly Span[]

/** Select Graphic Rendition of ECMA-48, by meaning; the eight colours that every palette has. */
const CODES: Readonly<Record<Style, string>> = {
  title: '1',
  dim: '2',
  good: '32',
  warn: '33',
  bad: '1;31',
  key: '36',
  selected: '7',
}

const coloured = ({ text, style }: Span): string => (style ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text)

/** @param hasColour see `hasColour` */
export const drawn = (line: Line, hasColour: boolean): string =>
  line.map(span => (hasColour ? coloured(span) : span.text)).join('')

/** Cut to `columns`. Texts have no control characters. */
export function cut(line: Line, columns: number): Line {
  let left = columns
  const shown: Span[] = []
  for (const { text, style } of line) {
    if (left <= 0) break
    const short = fit(text, left)
    shown.push({ text: short, style })
    left -= width(short)
  }
  return shown
}

export const plain = (line: Line): string => line.map(({ text }) => text).join('')

/** no-color.org: set and not empty. Without it a terminal that is not dumb has colours. */
export const hasColour = ({ NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean => !NO_COLOR && TERM !== 'dumb'
