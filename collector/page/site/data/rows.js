/** Rows of windows: decoded, filtered, added up. */

const ROLES = ['client', 'server']

/** @param columns what the cells of a row are, as the collector says */
export function decode(window, columns) {
  const places = new Map(columns.map((name, at) => [name, at]))
  const byRole = columns.filter(name => name.endsWith('.client')).map(name => name.slice(0, -7))
  const plain = columns.filter(name => !name.includes('.'))
  const levels = {}
  for (const [level, { total, rows }] of Object.entries(window.levels)) {
    levels[level] = {
      total,
      rows: rows.map(cells => {
        const row = { host: window.host, interval: window.interval }
        for (const name of plain) row[name] = cells[places.get(name)]
        for (const name of byRole) row[name] = ROLES.map(role => cells[places.get(`${name}.${role}`)])
        return row
      }),
    }
  }
  return { ...window, levels }
}

/** A number of one role, or of both: added up, or the larger one. */
export function numberOf(row, name, role) {
  const value = row[name]
  if (!Array.isArray(value)) return value
  if (role) return value[ROLES.indexOf(role)] ?? null
  const [client, server] = value
  if (/^p\d/.test(name)) return client === null ? server : server === null ? client : Math.max(client, server)
  return client + server
}

/** The container that a filter names; `(host)` is what is in none. */
const containerOf = (row, level) => (level === 'container' ? row.id || '(host)' : row.container || '(host)')

/** Those that the filters leave. */
export function filtered(rows, level, { host, namespace, pod, container, process, role, text }) {
  const words = text.toLowerCase()
  const isWhole = /^=./.test(words)
  return rows.filter(
    row =>
      (!host || row.host === host) &&
      (!namespace || row.namespace === namespace) &&
      (!pod || row.pod === pod) &&
      (!container || level === 'pod' || level === 'host' || containerOf(row, level) === container) &&
      (!process || level !== 'process' || row.name === process) &&
      (!role || numberOf(row, 'flows', role) > 0) &&
      (!words ||
        [row.id, row.name, row.pod, row.namespace, row.container, row.host]
          .map(cell => String(cell).toLowerCase())
          .some(cell => (isWhole ? cell === words.slice(1) : cell.includes(words)))),
  )
}

const PER_SECOND = ['sent', 'rcvd', 'opened', 'failed', 'retransmits']
const LARGEST = ['p50', 'p95', 'p99']

/** One point of each line of the charts: rates per second, the largest of the quantiles. */
export function totalOf(rows, role) {
  const total = { flows: 0 }
  for (const name of PER_SECOND) total[name] = 0
  for (const name of LARGEST) total[name] = null
  for (const row of rows) {
    total.flows += numberOf(row, 'flows', role)
    for (const name of PER_SECOND) total[name] += numberOf(row, name, role) / row.interval
    for (const name of LARGEST) {
      const value = numberOf(row, name, role)
      if (value !== null && (total[name] === null || value > total[name])) total[name] = value
    }
  }
  return total
}
