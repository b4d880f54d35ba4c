/** Elements of the page; text is always text, never markup. */

import { plain } from '../data/plain.js'

const SVG = 'http://www.w3.org/2000/svg'

/** Attributes that people read or hear. */
const WORDS = ['title', 'aria-label']

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value !== undefined)
      element.setAttribute(name, WORDS.includes(name) ? plain(value) : value)
  }
  element.append(
    ...children
      .flat()
      .filter(child => child !== undefined && child !== '')
      .map(plain),
  )
  return element
}

export const h = (name, attributes = {}, ...children) =>
  fill(document.createElement(name), attributes, children)
export const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children)

/** Only what has changed is written: the browser need not lay out the rest again. */
export function setText(element, text) {
  const shown = plain(text)
  if (element.textContent !== shown) element.textContent = shown
}

export function setAttribute(element, name, value) {
  if (value === undefined) element.removeAttribute(name)
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}
