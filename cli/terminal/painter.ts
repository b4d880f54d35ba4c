/** Writes a frame to a terminal: only the lines that have changed. */

import { width } from '../width.ts'
import { cut, drawn, type Line, plain } from './style.ts'

export interface Size {
  readonly rows: number
  readonly columns: number
}

const to = (row: number): string => `\x1b[${row + 1};1H`
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
/** A terminal that knows this shows the frame at once (synchronized output); the others ignore it. */
const BEGIN = '\x1b[?2026h'
const END = '\x1b[?2026l'

export class Painter {
  readonly #hasColour: boolean
  #shown: string[] = []

  constructor(hasColour: boolean) {
    this.#hasColour = hasColour
  }

  /** The terminal has lost what it showed. */
  forget(): void {
    this.#shown = []
  }

  /** @returns what to write; '' when nothing has changed */
  paint(frame: readonly Line[], { rows, columns }: Size): string {
    const lines = frame.slice(0, rows).map(line => {
      const short = cut(line, columns)
      // behind the last column, clearing the rest of the line would clear that column
      const clear = width(plain(short)) < columns ? CLEAR_LINE : ''
      return drawn(short, this.#hasColour) + clear
    })
    const isNew = this.#shown.length === 0
    const changed = lines.flatMap((line, row) => (line === this.#shown[row] ? [] : [`${to(row)}${line}`]))
    const below = isNew || lines.length < this.#shown.length
    // the last row ends where nothing follows: clearing below it would clear the row itself
    if (below && lines.length < rows) changed.push(`${to(lines.length)}${CLEAR_BELOW}`)
    this.#shown = lines
    return changed.length > 0 ? `${BEGIN}${changed.join('')}${END}` : ''
  }
}
