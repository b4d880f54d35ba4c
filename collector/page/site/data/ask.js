/** A question to the collector. */

import { FILTERS } from '../view.js'

/** @throws with the collector's sentence */
export async function ask(path, query, signal) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`, { signal })
  if (answer.status === 401) throw new Error('the session has ended: open a new link (sockflux page)')
  const json = await answer.json()
  if (!answer.ok) throw new Error(json.error)
  return json
}

/** The filters of a view, as the collector reads them. */
export const filtersOf = view =>
  Object.fromEntries([...FILTERS, 'role', 'text'].flatMap(name => (view[name] ? [[name, view[name]]] : [])))
