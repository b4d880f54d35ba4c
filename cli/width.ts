/** The width of text on a terminal. */

import stringWidth from 'string-width'

/** Columns: wide characters take two, combining ones none. */
export const width = (text: string): number => (/^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text))

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - width(text)))

export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - width(text))) + text

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Cut, with … at the end, if it does not fit. */
export function fit(text: string, columns: number): string {
  if (width(text) <= columns) return text
  let short = ''
  let used = 1
  for (const { segment } of graphemes.segment(text)) {
    used += width(segment)
    if (used > columns) break
    short += segment
  }
  return columns > 0 ? `${short}…` : ''
}
