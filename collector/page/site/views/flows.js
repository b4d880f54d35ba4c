/** What pods talk to: pods, Services, the outside. The sums of each, where the bytes go, over time, and every pair. */

import { ask, filtersOf } from '../data/ask.js'
import { Poll } from '../data/poll.js'
import { Series } from '../data/series.js'
import { Busiest } from '../parts/busiest.js'
import { Charts } from '../parts/charts.js'
import { Choice } from '../parts/choice.js'
import { h } from '../parts/elements.js'
import { note } from '../parts/filters.js'
import {
  client,
  flows as count,
  directions,
  KINDS,
  linkOf,
  retransmits,
  rtt,
  server,
} from '../parts/pairs.js'
import { Sankey } from '../parts/sankey.js'
import { Table } from '../parts/table.js'
import { current, hrefOf, RANGES } from '../view.js'

const BY = { pod: 'pods', workload: 'workloads', node: 'nodes' }
const TO = { '': 'all of pods', ...KINDS }
const kind = {
  key: 'kind',
  title: 'What',
  value: ({ kind }) => KINDS[kind],
  href: ({ kind }) => hrefOf({ to: kind }),
}
const service = { key: 'service', title: 'Service', value: ({ via }) => via?.name ?? '' }

export function flows(place, live) {
  let isClosed = false
  const draw = () => !isClosed && opened.draw(current())
  const to = new Choice('flows-to', 'to', 'what', TO)
  const by = new Choice('flows-by', 'by', 'between', BY)
  place.append(h('div', { class: 'choices' }, to.element, by.element))
  const numbers = [count, ...directions, rtt, retransmits]
  const kinds = new Table(place, 'What pods talk to', [kind, ...numbers], '-sent')
  const pictures = h('div', { class: 'pictures' })
  place.append(pictures)
  const sent = new Sankey(pictures, 'From clients to servers', linkOf)
  const received = new Sankey(pictures, 'From servers to clients', linkOf)
  const busiest = new Busiest(place)
  const charts = new Charts(place)
  const series = new Series('pod', live, draw)
  const pairs = new Table(place, 'Flows of pods', [client, service, server, ...numbers], '-sent')
  const tell = note(place)
  const askedOf = view => ({ ...filtersOf(view), by: by.draw(view.by), to: to.draw(view.to) || 'pods' })
  const poll = new Poll(async view => {
    const asked = askedOf(view)
    const time = Math.max(0, ...live.heard().map(({ time }) => time))
    return { ...(await ask('api/map', asked)), key: JSON.stringify(asked), time }
  }, draw)
  const stop = live.onWindow(() => {
    series.add(current())
    poll.stale()
  })
  const opened = {
    draw(view) {
      poll.draw(JSON.stringify(askedOf(view)), view)
      series.choose(view)
      charts.draw(series, RANGES[view.range])
      tell(poll.problem || (poll.answer?.total.flows === 0 ? 'No connection that fits.' : ''))
      const { nodes = [], edges = [], total = { edges: 0 }, kinds: sums = {} } = poll.answer ?? {}
      const rows = edges.map(edge => ({
        ...{ ...edge, from: nodes[edge.client], to: nodes[edge.server], via: nodes[edge.via] },
      }))
      const found = Object.keys(KINDS).filter(name => sums[name])
      kinds.draw(
        found.map(kind => ({ kind, ...sums[kind] })),
        view.sort,
      )
      const isThrough = rows.length > 0 && rows.every(({ via }) => via)
      const heads = isThrough ? ['clients', 'Services', 'servers'] : ['clients', 'servers']
      const stops = ({ from, via, to }) => (isThrough ? [from, via, to] : [from, to])
      sent.draw(
        heads,
        rows.map(row => ({ stops: stops(row), value: row.bytes })),
      )
      received.draw(
        heads.toReversed(),
        rows.map(row => ({ stops: stops(row).toReversed(), value: row.revBytes })),
      )
      if (poll.answer?.time > 0)
        busiest.draw(poll.answer.key, poll.answer.time, {
          'The busiest clients': rates(rows, ({ from }) => from),
          'The busiest servers and Services': rates(rows, ({ via, to }) => via ?? to),
        })
      pairs.draw(rows, view.sort, total.edges)
    },
    close() {
      isClosed = true
      stop()
      series.close()
      charts.close()
      busiest.close()
    },
  }
  return opened
}

/** Bytes per second, both ways, by the name of a node. */
function rates(rows, nodeOf) {
  const sums = new Map()
  for (const row of rows) {
    const { name } = nodeOf(row)
    sums.set(name, (sums.get(name) ?? 0) + row.sentPerSecond + row.rcvdPerSecond)
  }
  return sums
}
