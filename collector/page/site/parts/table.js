/** A table that sorts: rows are drawn in place, some at a time, and all of them go into the file. */

import { csvOf, save } from '../data/csv.js'
import { go } from '../view.js'
import { h, setAttribute, setText } from './elements.js'

const SHOWN = 100

/**
 * A column: `title`, `help`, `value` of a row (a number, a text or null), `text` of the value, `href` of a row, or
 * `open`, which is called with it; `low` is left out on a phone, `kind` is a class of its cells.
 */
export class Table {
  #columns
  #name
  #body = h('tbody')
  #heads
  #count = h('p', { class: 'count' })
  #more = h('button', { type: 'button', class: 'more', onclick: () => this.#showMore() })
  #shown = SHOWN
  #rows = []
  #sort = ''

  /** @param first column that it is sorted by, with a `-` for the largest first */
  constructor(place, name, columns, first) {
    this.#columns = columns
    this.#name = name
    this.first = first
    this.#heads = columns.map(column => this.#head(column))
    const table = h(
      'table',
      {},
      h('caption', { class: 'unseen' }, name),
      h('thead', {}, h('tr', {}, ...this.#heads)),
      this.#body,
    )
    const file = h('button', { type: 'button', onclick: () => this.#save() }, 'CSV')
    const bar = h('div', { class: 'bar' }, this.#count, file)
    const scroll = h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': name }, table)
    place.append(bar, scroll, this.#more)
  }

  /** @param total there are, when that is more than the rows */
  draw(rows, sort, total = rows.length) {
    this.#sort = this.#columns.some(({ key }) => key === sort.replace(/^-/, '')) ? sort : this.first
    this.#rows = this.#sorted(rows)
    for (const [at, head] of this.#heads.entries()) {
      const { key } = this.#columns[at]
      const isBy = this.#sort.replace(/^-/, '') === key
      setAttribute(
        head,
        'aria-sort',
        isBy ? (this.#sort.startsWith('-') ? 'descending' : 'ascending') : undefined,
      )
    }
    const shown = this.#rows.slice(0, this.#shown)
    while (this.#body.rows.length > shown.length) this.#body.deleteRow(-1)
    for (const [at, row] of shown.entries()) this.#drawRow(this.#body.rows[at] ?? this.#addRow(), row)
    const some = total > rows.length ? `, the busiest of ${total.toLocaleString('en')}` : ''
    setText(this.#count, `${rows.length.toLocaleString('en')} ${rows.length === 1 ? 'row' : 'rows'}${some}`)
    this.#more.hidden = shown.length === this.#rows.length
    setText(this.#more, `show ${Math.min(SHOWN, this.#rows.length - shown.length)} more`)
  }

  #head(column) {
    const sort = () => go({ sort: this.#next(column) })
    const button = h('button', { type: 'button', onclick: sort, title: column.help }, column.title)
    return h('th', { scope: 'col', class: classOf(column) }, button)
  }

  /** A click sorts numbers from the largest on, names from A on; another one the other way. */
  #next({ key, text }) {
    if (this.#sort.replace(/^-/, '') === key) return this.#sort.startsWith('-') ? key : `-${key}`
    return text ? `-${key}` : key
  }

  #sorted(rows) {
    const key = this.#sort.replace(/^-/, '')
    const { value } = this.#columns.find(column => column.key === key)
    const way = this.#sort.startsWith('-') ? -1 : 1
    const keyed = rows.map(row => [value(row), row])
    keyed.sort(([a], [b]) => {
      if (a === b) return 0
      if (a === null || a === '') return 1
      if (b === null || b === '') return -1
      return typeof a === 'number' ? way * (a - b) : way * (a < b ? -1 : 1)
    })
    return keyed.map(([, row]) => row)
  }

  #addRow() {
    const row = this.#body.insertRow()
    for (const column of this.#columns) {
      const isFirst = column === this.#columns[0]
      const cell = h(isFirst ? 'th' : 'td', { class: classOf(column), ...(isFirst && { scope: 'row' }) })
      if (column.href) cell.append(h('a', { href: './' }))
      if (column.open)
        cell.append(h('button', { type: 'button', class: 'name', onclick: () => this.#open(row) }))
      row.append(cell)
    }
    return row
  }

  #drawRow(element, row) {
    for (const [at, { value, text = String, href, open, mark }] of this.#columns.entries()) {
      const cell = element.cells[at]
      const words = text(value(row), row)
      if (href) {
        setAttribute(cell.firstChild, 'href', href(row))
        setText(cell.firstChild, words)
      } else setText(open ? cell.firstChild : cell, words)
      if (mark) setAttribute(cell, 'data-mark', mark(row))
    }
  }

  #open(element) {
    const row = this.#rows[element.sectionRowIndex]
    for (const { open } of this.#columns) open?.(row)
  }

  #showMore() {
    this.#shown += SHOWN
    this.draw(this.#rows, this.#sort)
  }

  #save() {
    const head = this.#columns.map(({ csv, title }) => csv ?? title)
    save(
      `sockflux ${this.#name.toLowerCase()}.csv`,
      csvOf(
        head,
        this.#rows.map(row => this.#columns.map(({ value }) => value(row))),
      ),
    )
  }
}

const classOf = ({ text, low, kind }) =>
  [text && 'number', low && 'low', kind].filter(Boolean).join(' ') || undefined
