/** All that is known of one thing, in a dialog. */

import { h } from './elements.js'

const UNITS = [
  [/Us$/, value => `${value} µs`],
  [/^(opened|closed|seen)$/, value => new Date(value * 1000).toLocaleString()],
  [/bytes$/i, value => `${value.toLocaleString('en')} bytes`],
]

export class Details {
  #list = h('dl')
  #dialog = h(
    'dialog',
    { 'aria-label': 'Connection' },
    h('form', { method: 'dialog' }, h('button', {}, 'close')),
    this.#list,
  )

  constructor(place) {
    place.append(this.#dialog)
    this.#dialog.addEventListener('click', event => event.target === this.#dialog && this.#dialog.close())
  }

  open(thing) {
    this.#list.replaceChildren(
      ...pairsOf('', thing).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
    )
    this.#dialog.showModal()
  }
}

function pairsOf(prefix, thing) {
  return Object.entries(thing).flatMap(([name, value]) => {
    if (typeof value === 'object' && value !== null) return pairsOf(`${prefix}${name} `, value)
    const [, text = String] = UNITS.find(([pattern]) => pattern.test(name)) ?? []
    return [[prefix + name, text(value)]]
  })
}
