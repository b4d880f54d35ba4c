/** What is shown, kept in the address: a link to it shows the same. */

/** Filters that the dashboards have, and the process. */
export const FILTERS = ['host', 'namespace', 'pod', 'container', 'process']
/** Nothing is chosen. */
export const NO_FILTER = Object.fromEntries([...FILTERS, 'role', 'text', 'to'].map(name => [name, '']))
const DEFAULTS = { view: 'containers', ...NO_FILTER, range: '15m', sort: '', by: 'container' }
export const RANGES = { '15m': 900, '1h': 3600, '6h': 21_600, '24h': 86_400, '7d': 604_800 }

const changed = []

/** @returns every part of the address, with what is left out */
export function current() {
  const given = new URLSearchParams(location.search)
  const all = Object.entries(DEFAULTS).map(([name, value]) => [name, given.get(name) ?? value])
  const view = Object.fromEntries(all)
  if (!Object.hasOwn(RANGES, view.range)) view.range = DEFAULTS.range
  return view
}

/** The address of what is shown, with changes. It is relative: the session belongs to the path. */
export function hrefOf(changes) {
  const view = { ...current(), ...changes }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(view)) if (value !== DEFAULTS[name]) query.set(name, value)
  return `./${query.size > 0 ? `?${query}` : ''}`
}

/** @param isTyping: the address is replaced, so that Back does not go through every letter */
export function go(changes, isTyping = false) {
  const href = hrefOf(changes)
  if (href === `./${location.search}`) return
  history[isTyping ? 'replaceState' : 'pushState'](null, '', href)
  for (const tell of changed) tell()
}

export const onChange = tell => changed.push(tell)

addEventListener('popstate', () => {
  for (const tell of changed) tell()
})
// links within the page keep the stream of windows open
document.addEventListener('click', event => {
  const link = event.target.closest?.('a[href^="./"]')
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0 || link.download) return
  event.preventDefault()
  history.pushState(null, '', link.getAttribute('href'))
  for (const tell of changed) tell()
})
