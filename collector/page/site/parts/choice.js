/** A list above a view: what is chosen goes into the address. */

import { go } from '../view.js'
import { h } from './elements.js'

export class Choice {
  #choices
  #select
  element

  /** @param name in the address. @param choices a title for each value, the first is that of what is not among them */
  constructor(id, name, title, choices) {
    this.#choices = choices
    const options = Object.entries(choices).map(([value, text]) => h('option', { value }, text))
    const chosen = () => go({ [name]: this.#select.value })
    this.#select = h('select', { id, onchange: chosen }, ...options)
    this.element = h('label', {}, h('span', {}, title), this.#select)
  }

  /** @returns what is shown: the given value, or the first one */
  draw(value) {
    const shown = Object.hasOwn(this.#choices, value) ? value : Object.keys(this.#choices)[0]
    if (this.#select.value !== shown) this.#select.value = shown
    return shown
  }
}
