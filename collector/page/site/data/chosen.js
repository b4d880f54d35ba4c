/** What the filters leave of a window, at the level of a view. */

import { filtered } from './rows.js'

const LARGEST = /^p\d/

/** The level whose rows have all that the filters name: a host has no pod, a pod has no container. */
export function levelWith(level, { namespace, pod, container, process }) {
  if (process) return 'process'
  if (level === 'host' && (namespace || pod || container)) return 'container'
  return level === 'pod' && container ? 'container' : level
}

/** Rows of a level; where they would have more in them than is chosen, made of what is. @param levels of one host */
export function rowsOf(levels, level, view) {
  const from = levelWith(level, view)
  if (from === level) return filtered(levels[level].rows, level, view)
  const parts = new Map()
  for (const row of filtered(levels[from].rows, from, { ...view, text: '' })) {
    const key = keyOf(row, level, from)
    if (!parts.has(key)) parts.set(key, [])
    parts.get(key).push(row)
  }
  const found = levels[level].rows.filter(row => parts.has(keyOf(row, level, level)))
  const rows = found.map(row => together(row, parts.get(keyOf(row, level, level))))
  return filtered(rows, level, { ...NOTHING, role: view.role, text: view.text })
}

const NOTHING = { host: '', namespace: '', pod: '', container: '', process: '' }

/** Which row of a level another one is part of. */
function keyOf(row, level, from) {
  if (level === 'host') return ''
  if (level === 'pod') return row.pod && `${row.namespace}/${row.pod}`
  return from === 'container' ? row.id : row.container
}

/** Numbers are added up, but of quantiles the largest is taken. */
function together(row, parts) {
  const sum = { ...row }
  for (const [name, value] of Object.entries(row)) {
    const add = LARGEST.test(name) ? larger : (a, b) => a + b
    if (Array.isArray(value)) sum[name] = value.map((_, at) => parts.map(part => part[name][at]).reduce(add))
    else if (typeof value === 'number' && name !== 'interval')
      sum[name] = parts.map(part => part[name]).reduce(add)
  }
  return sum
}

const larger = (a, b) => (a === null || (b !== null && b > a) ? b : a)
