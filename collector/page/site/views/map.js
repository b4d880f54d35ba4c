/** A map of who talks to whom: clients on the left, servers on the right, and the same as a table. */

import { ask, filtersOf } from '../data/ask.js'
import { Poll } from '../data/poll.js'
import { bytes, count, rate } from '../data/units.js'
import { Choice } from '../parts/choice.js'
import { h, setText } from '../parts/elements.js'
import { note } from '../parts/filters.js'
import { client, flows, linkOf, retransmits, rtt, server } from '../parts/pairs.js'
import { Ribbons } from '../parts/ribbons.js'
import { Table } from '../parts/table.js'
import { current } from '../view.js'

const BY = {
  ...{ container: 'containers', pod: 'pods', workload: 'workloads', process: 'processes', host: 'hosts' },
}
const COLUMNS = [
  ...[client, server, flows],
  {
    key: 'rate',
    title: 'Traffic',
    help: 'payload both ways in the last window, per second',
    value: ({ perSecond }) => perSecond,
    text: rate,
  },
  {
    key: 'bytes',
    title: 'Total',
    help: 'payload both ways since the connections are known',
    value: ({ bytes }) => bytes,
    text: bytes,
    low: true,
  },
  ...[rtt, retransmits],
]

export function map(place, live) {
  let isClosed = false
  const draw = () => !isClosed && opened.draw(current())
  const by = new Choice('map-by', 'by', 'between', BY)
  const legend = h('p', { class: 'count' })
  place.append(h('div', { class: 'bar' }, by.element, legend))
  const ribbons = new Ribbons(place, linkOf)
  const tell = note(place)
  const table = new Table(place, 'Who talks to whom', COLUMNS, '-rate')
  const poll = new Poll(view => ask('api/map', { ...filtersOf(view), by: by.draw(view.by) }), draw)
  const stop = live.onWindow(() => poll.stale())
  const opened = {
    draw(view) {
      poll.draw(JSON.stringify([filtersOf(view), by.draw(view.by)]), view)
      tell(poll.problem || (poll.answer?.total.flows === 0 ? 'No connection that fits.' : ''))
      const { nodes = [], edges = [], total = { edges: 0, flows: 0 } } = poll.answer ?? {}
      const named = edges.map(edge => ({
        ...{ ...edge, from: nodes[edge.client], to: nodes[edge.server] },
        bytes: edge.bytes + edge.revBytes,
        perSecond: edge.sentPerSecond + edge.rcvdPerSecond,
      }))
      const hidden = ribbons.draw(named)
      setText(
        legend,
        `${count(total.flows)} flows${hidden > 0 ? `; the busiest ${named.length - hidden} of ${total.edges} pairs are drawn` : ''}`,
      )
      table.draw(named, view.sort, total.edges)
    },
    close() {
      isClosed = true
      stop()
    },
  }
  return opened
}
