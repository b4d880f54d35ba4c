/** What was lost and what to do about it; how hosts, collector and databases are. */

import { ask } from '../data/ask.js'
import { Poll } from '../data/poll.js'
import { age, bytes, count } from '../data/units.js'
import { h, setText } from '../parts/elements.js'
import { Table } from '../parts/table.js'
import { current } from '../view.js'

const number = (key, title, text = count, more = {}) => ({
  key,
  title,
  text,
  value: row => row[key] ?? 0,
  ...more,
})
const word = (key, title, more = {}) => ({ key, title, value: row => row[key], ...more })

const LOST = [
  word('reason', 'Reason'),
  word('whose', 'Of'),
  number('count', 'Lost', count),
  word('unit', 'Unit', { low: true }),
  word('means', 'What it means', { kind: 'words' }),
  word('remedy', 'What to do', { kind: 'words' }),
]
const HOSTS = [
  word('host', 'Host'),
  number('age', 'Last window', seconds => `${age(seconds)} ago`, {
    mark: ({ age, interval }) => (age > 3 * interval + 30 ? 'bad' : undefined),
  }),
  number('interval', 'Windows of', seconds => `${seconds} s`),
  word('whole', 'Whole', { mark: ({ whole }) => (whole === 'yes' ? undefined : 'fair') }),
  number('containers', 'Containers'),
  number('processes', 'Processes'),
]
const SINKS = [
  word('name', 'Sink'),
  number('samples', 'Samples stored'),
  number('waiting', 'Waiting', count, { mark: ({ waiting }) => (waiting > 100_000 ? 'bad' : undefined) }),
  number('retries', 'Retries'),
]
const hostRow = ({ host, time, interval, complete, partial, levels }) => ({
  ...{ host, interval, age: Date.now() / 1000 - time },
  whole: partial ? 'the first' : complete ? 'yes' : 'no',
  containers: levels.container.total - 1,
  processes: levels.process.total,
})

export function health(place, live) {
  let isClosed = false
  const draw = () => !isClosed && opened.draw(current())
  const ready = h('p', { class: 'ready', role: 'status' })
  place.append(ready)
  const part = (title, columns, first) => {
    place.append(h('h2', {}, title))
    return new Table(place, title, columns, first)
  }
  const lost = part('Losses', LOST, '-count')
  const hosts = part('Hosts heard', HOSTS, 'host')
  const sinks = part('Where samples go', SINKS, 'name')
  const poll = new Poll(() => ask('api/health', {}), draw)
  const stop = live.onWindow(() => poll.stale())
  const opened = {
    draw(view) {
      poll.draw('', view)
      const { unready = null, lost: losses = [], sinks: found = {}, stats } = poll.answer ?? {}
      const state =
        poll.problem ||
        (unready === null ? 'The collector is ready.' : `The collector is not ready: ${unready}.`)
      const cost = stats
        ? ` It has ${bytes(stats.rss_bytes)} of memory, knows ${count(stats.probes)} probes and ${count(stats.series)} series, and has read ${count(stats.rows)} rows.`
        : ''
      setText(ready, state + cost)
      ready.dataset.mark = poll.problem || unready !== null ? 'bad' : 'good'
      const words = view.text.toLowerCase()
      lost.draw(
        losses.filter(row => JSON.stringify(row).toLowerCase().includes(words)),
        view.sort,
      )
      hosts.draw(
        [...live.windows.values()].map(hostRow).filter(({ host }) => !view.host || host === view.host),
        view.sort,
      )
      sinks.draw(
        Object.entries(found).map(([name, counters]) => ({ name, ...counters })),
        view.sort,
      )
    },
    close() {
      isClosed = true
      stop()
    },
  }
  return opened
}
