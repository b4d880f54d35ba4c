/** A map of who talks to whom: clients on the left, servers on the right, and the same as a table. */

import { ask, filtersOf } from '../data/ask.js'
import { Poll } from '../data/poll.js'
import { bytes, count, rate, time } from '../data/units.js'
import { h, setText } from '../parts/elements.js'
import { note } from '../parts/filters.js'
import { Ribbons } from '../parts/ribbons.js'
import { Table } from '../parts/table.js'
import { current, go, hrefOf } from '../view.js'

const BY = {
  ...{ container: 'containers', pod: 'pods', workload: 'workloads', process: 'processes', host: 'hosts' },
}
/** What is chosen with a node; the rest of the filters would hide it. */
const NONE = { host: '', namespace: '', pod: '', container: '', process: '', text: '' }
const linkOf = ({ only }) => hrefOf({ view: 'connections', sort: '', ...NONE, ...only })

const columnsOf = interval => [
  { key: 'client', title: 'Client', value: ({ from }) => from.name, href: ({ from }) => linkOf(from) },
  { key: 'server', title: 'Server', value: ({ to }) => to.name, href: ({ to }) => linkOf(to) },
  { key: 'flows', title: 'Flows', value: ({ flows }) => flows, text: count },
  {
    key: 'rate',
    title: 'Traffic',
    help: 'payload both ways in the last window',
    value: ({ windowBytes }) => windowBytes / interval(),
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
  { key: 'rtt', title: 'RTT', help: 'of the slowest of them', value: ({ rtt }) => rtt, text: time },
  {
    key: 'retransmits',
    title: 'Retrans',
    help: 'segments sent again in the last window',
    value: ({ retransmits }) => retransmits,
    text: count,
    mark: ({ retransmits }) => (retransmits > 0 ? 'fair' : undefined),
  },
]

export function map(place, live) {
  let isClosed = false
  const draw = () => !isClosed && opened.draw(current())
  const select = h(
    'select',
    { id: 'map-by', onchange: () => go({ by: select.value }) },
    ...Object.entries(BY).map(([value, name]) => h('option', { value }, name)),
  )
  const legend = h('p', { class: 'count' })
  place.append(h('div', { class: 'bar' }, h('label', {}, h('span', {}, 'between'), select), legend))
  const ribbons = new Ribbons(place, linkOf)
  const tell = note(place)
  const interval = () => live.heard()[0]?.interval ?? 1
  const table = new Table(place, 'Who talks to whom', columnsOf(interval), '-rate')
  const poll = new Poll(view => ask('api/map', { ...filtersOf(view), by: view.by }), draw)
  const stop = live.onWindow(() => poll.stale())
  const opened = {
    draw(view) {
      if (select.value !== view.by) select.value = view.by
      poll.draw(JSON.stringify([filtersOf(view), view.by]), view)
      tell(poll.problem || (poll.answer?.total.flows === 0 ? 'No connection that fits.' : ''))
      const { nodes = [], edges = [], total = { edges: 0, flows: 0 } } = poll.answer ?? {}
      const named = edges.map(edge => ({
        ...{ ...edge, from: nodes[edge.client], to: nodes[edge.server] },
        bytes: edge.bytes + edge.revBytes,
        windowBytes: edge.windowBytes + edge.windowRevBytes,
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
