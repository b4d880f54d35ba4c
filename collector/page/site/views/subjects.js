/** Containers, pods, processes or hosts: over time, and a row each. */

import { rowsOf } from '../data/chosen.js'
import { numberOf } from '../data/rows.js'
import { Series } from '../data/series.js'
import { count, often, rate, time } from '../data/units.js'
import { Charts } from '../parts/charts.js'
import { note } from '../parts/filters.js'
import { Table } from '../parts/table.js'
import { current, hrefOf, RANGES } from '../view.js'

const number = (key, title, help, text, more = {}) => ({
  ...{ key, title, help, text },
  value: row => numberOf(row, key, current().role),
  ...more,
})
const perSecond = (key, title, help, text, more) =>
  number(key, title, help, text, { value: row => numberOf(row, key, current().role) / row.interval, ...more })
const word = (key, title, more = {}) => ({ key, title, value: row => row[key], ...more })

/** A share of the packets above this is bad; below the second it is worth a look. */
const RETRANSMITS = [0.02, 0.002]
const markOf = row => {
  const share = numberOf(row, 'retransmits', '') / Math.max(1, row.packets)
  return share > RETRANSMITS[0] ? 'bad' : share > RETRANSMITS[1] ? 'fair' : undefined
}

const NUMBERS = [
  number('flows', 'Flows', 'conversations that were open at some time in the window', count),
  number('p50', 'RTT p50', 'half of the round trips were shorter; the larger one of both roles', time, {
    csv: 'p50_ms',
  }),
  number('p95', 'p95', 'of a hundred round trips 95 were shorter', time, { csv: 'p95_ms' }),
  number('p99', 'p99', 'of a hundred round trips 99 were shorter', time, { csv: 'p99_ms', low: true }),
  perSecond('sent', 'Sent', 'payload, per second', rate, { csv: 'sent_bytes_per_s' }),
  perSecond('rcvd', 'Received', 'payload, per second', rate, { csv: 'received_bytes_per_s' }),
  perSecond('opened', 'Opened/s', 'connections', often, { low: true }),
  perSecond('retransmits', 'Retrans/s', 'segments sent again', often, { mark: markOf }),
  perSecond('failed', 'Failed/s', 'connections that were never established', often, {
    mark: row => (numberOf(row, 'failed', '') > 0 ? 'bad' : undefined),
  }),
]
const members = title => number('members', title, title, count, { low: true })

/** Where a click on a name leads. */
const talksOf = filters => hrefOf({ view: 'connections', sort: '', to: '', ...filters })
const nameOf = ({ id, name }) => name || id

const LEVELS = {
  container: [
    word('name', 'Container', {
      value: nameOf,
      href: ({ id, host }) => talksOf({ host, container: id || '(host)' }),
    }),
    word('id', 'Id', { kind: 'quiet', low: true }),
    word('pod', 'Pod', { value: ({ namespace, pod }) => (pod ? `${namespace}/${pod}` : '') }),
    word('host', 'Host', { low: true }),
    ...NUMBERS,
  ],
  pod: [
    word('pod', 'Pod', {
      value: nameOf,
      href: ({ pod, namespace, host }) => talksOf({ host, pod, namespace }),
    }),
    word('namespace', 'Namespace'),
    word('host', 'Host', { low: true }),
    members('Containers'),
    ...NUMBERS,
  ],
  process: [
    word('name', 'Process', {
      value: nameOf,
      href: ({ name, container, host }) => talksOf({ host, process: name, container: container || '(host)' }),
    }),
    word('container', 'Container', { kind: 'quiet' }),
    word('pod', 'Pod', { low: true }),
    word('host', 'Host', { low: true }),
    members('Pids'),
    ...NUMBERS,
  ],
  host: [
    word('name', 'Host', { href: ({ host }) => hrefOf({ view: 'containers', sort: '', host }) }),
    members('Containers'),
    ...NUMBERS,
  ],
}
const NAMES = { container: 'Containers', pod: 'Pods', process: 'Processes', host: 'Hosts' }
const NOTHING = {
  pod: 'No pod in the last window: pods are those of Kubernetes.',
  process: 'Processes are counted while somebody looks: they come with the next window.',
}

export const subjects = level => (place, live) => {
  const charts = new Charts(place)
  const series = new Series(level, live, () => charts.draw(series, rangeOf(current())))
  const table = new Table(place, NAMES[level], LEVELS[level], '-flows')
  const tell = note(place)
  const stop = live.onWindow(() => series.add(current()))
  return {
    draw(view) {
      series.choose(view)
      charts.draw(series, rangeOf(view))
      const windows = live.heard()
      const all = windows.flatMap(({ levels }) => levels[level].rows)
      const total = windows.reduce((sum, { levels }) => sum + levels[level].total, 0)
      const rows = windows.flatMap(({ levels }) => rowsOf(levels, level, view))
      table.draw(rows, view.sort, total > all.length ? total : rows.length)
      tell(windows.length > 0 && all.length === 0 ? (NOTHING[level] ?? '') : '')
    },
    close() {
      stop()
      series.close()
      charts.close()
    },
  }
}

const rangeOf = ({ range }) => RANGES[range]
