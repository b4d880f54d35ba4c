/** A table of nodes by nodes: who sends how much to whom, the darker the more. */

import { rate } from '../data/units.js'
import { h } from './elements.js'

/** More are in the table of nodes alone. */
const MAX_NODES = 24
/** Steps of colour; 0: nothing. */
const STEPS = 6

export class Heat {
  #name
  #table = h('table', { class: 'heat' })
  #drawn = ''

  constructor(place, name) {
    this.#name = name
    place.append(
      h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': name }, this.#table),
    )
  }

  /**
   * @param names of nodes, the busiest first
   * @param sent bytes per second from one to another, by their names
   */
  draw(names, sent) {
    const shown = names.slice(0, MAX_NODES)
    const rows = shown.map(from => shown.map(to => sent.get(from)?.get(to) ?? 0))
    const key = JSON.stringify([shown, rows])
    if (key === this.#drawn) return
    this.#drawn = key
    this.#table.parentElement.hidden = shown.length === 0
    const most = Math.max(...rows.flat())
    const cell = value => h('td', { class: 'number', 'data-heat': stepOf(value, most) }, rate(value))
    this.#table.replaceChildren(
      h('caption', { class: 'unseen' }, `${this.#name}: from the row to the column`),
      h(
        'thead',
        {},
        h('tr', {}, h('td', {}, 'from ↓ to →'), ...shown.map(name => h('th', { scope: 'col' }, name))),
      ),
      h(
        'tbody',
        {},
        ...rows.map((row, at) => h('tr', {}, h('th', { scope: 'row' }, shown[at]), ...row.map(cell))),
      ),
    )
  }
}

/** Roots tell small ones from none. */
const stepOf = (value, most) => (value > 0 ? Math.ceil(STEPS * Math.sqrt(value / most)) : 0)
