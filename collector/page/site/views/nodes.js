/** Traffic of pods by their nodes: within a node, between two, and with the outside. */

import { ask, filtersOf } from '../data/ask.js'
import { sums } from '../data/nodes.js'
import { Poll } from '../data/poll.js'
import { Series } from '../data/series.js'
import { rate } from '../data/units.js'
import { Charts } from '../parts/charts.js'
import { note } from '../parts/filters.js'
import { Heat } from '../parts/heat.js'
import { Table } from '../parts/table.js'
import { current, hrefOf, NO_FILTER, RANGES } from '../view.js'

const number = (key, title, help, low) => ({
  ...{ key, title, help, low, text: rate, csv: `${key}_bytes_per_s` },
  value: row => row[key],
})
const COLUMNS = [
  {
    key: 'node',
    title: 'Node',
    value: ({ node }) => node.name,
    href: ({ node }) => hrefOf({ view: 'flows', sort: '', ...NO_FILTER, ...node.only }),
  },
  number('within', 'Within', 'payload between its own pods in the last window, per second'),
  number('to_nodes', 'To nodes', 'payload to other nodes'),
  number('from_nodes', 'From nodes', 'payload from other nodes'),
  number('to_outside', 'To outside', 'payload to what is on no node that is known', true),
  number('from_outside', 'From outside', 'payload from what is on no node that is known', true),
  number('all', 'All', 'payload that its pods send and receive'),
]

export function nodes(place, live) {
  let isClosed = false
  const draw = () => !isClosed && opened.draw(current())
  const heat = new Heat(place, 'Traffic of pods between nodes')
  const charts = new Charts(place)
  const series = new Series('host', live, draw)
  const table = new Table(place, 'Nodes', COLUMNS, '-all')
  const tell = note(place)
  const poll = new Poll(view => ask('api/map', { ...filtersOf(view), by: 'node', to: 'pods' }), draw)
  const stop = live.onWindow(() => {
    series.add(current())
    poll.stale()
  })
  const opened = {
    draw(view) {
      poll.draw(JSON.stringify(filtersOf(view)), view)
      series.choose(view)
      charts.draw(series, RANGES[view.range])
      const { nodes: all = [], edges = [], total = { edges: 0, flows: 0 } } = poll.answer ?? {}
      const rows = sums(all, edges)
      const isPart = total.edges > edges.length
      tell(
        poll.problem ||
          (poll.answer && total.flows === 0 ? 'No connection of a pod that fits.' : '') ||
          (isPart ? `Of the busiest ${edges.length} of ${total.edges} pairs of nodes.` : ''),
      )
      const busiest = rows.toSorted((a, b) => b.all - a.all)
      heat.draw(
        busiest.map(({ node }) => node.name),
        new Map(busiest.map(({ node, sent }) => [node.name, sent])),
      )
      table.draw(
        rows.filter(({ node }) => Object.keys(node.only).length > 0),
        view.sort,
      )
    },
    close() {
      isClosed = true
      stop()
      series.close()
      charts.close()
    },
  }
  return opened
}
