/** The views, and the filters of the dashboards: what can be chosen is what the last windows have. */

import { current, go, hrefOf, NO_FILTER, RANGES } from '../view.js'
import { h, setAttribute, setText } from './elements.js'

const place = document.getElementById('filters')
const views = document.getElementById('views')
const KEEP_IN_A_VIEW = { sort: '' }

export function drawViews(all, chosen) {
  if (views.childElementCount === 0)
    for (const [name, { title, short = title }] of Object.entries(all))
      views.append(h('a', { href: './', 'data-view': name }, short))
  for (const link of views.children) {
    setAttribute(link, 'href', hrefOf({ ...KEEP_IN_A_VIEW, view: link.dataset.view }))
    const isChosen = link.dataset.view === chosen
    // on a phone the views are a strip
    if (isChosen && !link.hasAttribute('aria-current'))
      link.scrollIntoView({ inline: 'center', block: 'nearest' })
    setAttribute(link, 'aria-current', isChosen ? 'page' : undefined)
  }
}

const distinct = (rows, of) => [...new Map(rows.map(of).filter(([value]) => value)).entries()]
/** What each filter offers: value and name, from the rows of containers. */
const CHOICES = {
  host: rows => distinct(rows, ({ host }) => [host, host]),
  namespace: rows => distinct(rows, ({ namespace }) => [namespace, namespace]),
  pod: rows => distinct(rows, ({ pod }) => [pod, pod]),
  container: rows => distinct(rows, ({ id, name }) => [id || '(host)', id ? name || id : '(host)']),
}
/** A list that is longer is of no use to anybody: the text finds it. */
const MAX_CHOICES = 500

const selects = new Map()
const text = h('input', {
  id: 'filter-text',
  type: 'search',
  placeholder: 'name, address …',
  autocomplete: 'off',
  spellcheck: 'false',
  'aria-keyshortcuts': '/',
  oninput: () => go({ text: text.value }, true),
})
const clear = h('a', { class: 'clear', href: './' }, 'clear')

function addSelect(name, title) {
  const select = h('select', { id: `filter-${name}`, onchange: () => go({ [name]: select.value }) })
  selects.set(name, select)
  place.append(h('label', {}, h('span', {}, title), select))
}

place.addEventListener('submit', event => event.preventDefault())
place.append(h('label', { class: 'text' }, h('span', {}, 'filter'), text))
for (const name of Object.keys(CHOICES)) addSelect(name, name)
addSelect('role', 'role')
addSelect('range', 'time')
place.append(clear)

export function drawFilters(live) {
  const view = current()
  const rows = live.rows('container').filter(({ host }) => !view.host || host === view.host)
  for (const [name, of] of Object.entries(CHOICES)) {
    const found = of(name === 'host' ? live.rows('host') : rows).sort(([, a], [, b]) => (a < b ? -1 : 1))
    const choices = found.slice(0, MAX_CHOICES)
    const isGone = view[name] && !choices.some(([value]) => value === view[name])
    fill(
      selects.get(name),
      [['', 'all'], ...(isGone ? [[view[name], view[name]]] : []), ...choices],
      view[name],
    )
    selects.get(name).parentElement.hidden = found.length === 0 && !view[name]
  }
  fill(
    selects.get('role'),
    [
      ['', 'both'],
      ['client', 'client'],
      ['server', 'server'],
    ],
    view.role,
  )
  fill(
    selects.get('range'),
    Object.keys(RANGES).map(range => [range, range]),
    view.range,
  )
  if (document.activeElement !== text && text.value !== view.text) text.value = view.text
  setAttribute(clear, 'href', hrefOf(NO_FILTER))
  clear.hidden = Object.keys(NO_FILTER).every(name => view[name] === '')
}

/** Only when the choices have changed: an open list would close. */
function fill(select, choices, chosen) {
  const key = JSON.stringify(choices)
  if (select.dataset.key !== key) {
    select.dataset.key = key
    select.replaceChildren(...choices.map(([value, name]) => h('option', { value }, name)))
  }
  if (select.value !== chosen) select.value = chosen
}

export const note = place => {
  const element = h('p', { class: 'note' })
  place.append(element)
  return words => {
    setText(element, words)
    element.hidden = words === ''
  }
}
