/** The connections of what is chosen, the busiest first; a click on one shows all that is known of it. */

import { ask, filtersOf } from '../data/ask.js'
import { Poll } from '../data/poll.js'
import { Series } from '../data/series.js'
import { age, bytes, count, rate, time } from '../data/units.js'
import { Charts } from '../parts/charts.js'
import { Choice } from '../parts/choice.js'
import { Details } from '../parts/details.js'
import { h } from '../parts/elements.js'
import { note } from '../parts/filters.js'
import { KINDS } from '../parts/pairs.js'
import { Table } from '../parts/table.js'
import { current, RANGES } from '../view.js'

const addressOf = at => (at ? `${at.ip.includes(':') ? `[${at.ip}]` : at.ip}:${at.port}` : '')
const endOf = (end, at, known) => {
  if (!end && known) return `${known.namespace ? `${known.namespace}/` : ''}${known.name} (${known.kind})`
  if (!end) return `${addressOf(at)} (outside)`
  const where = end.pod ? `${end.namespace}/${end.pod}` : end.containerName || end.container
  return where ? `${end.process} in ${where}` : end.process
}
const isOld = ({ closed }) => closed !== undefined
/** A connection that still waits for an answer, and one that failed. */
const WAITING = ['SYN_SENT', 'SYN_RECV', 'NEW_SYN_RECV']
const rttOf = ({ client, server }) => {
  const us = client?.rttUs ?? server?.rttUs
  return us === undefined ? null : us / 1000
}
const again = ({ client, server }) => (client?.retransmits ?? 0) + (server?.retransmits ?? 0)
const number = (key, title, help, text, value, more) => ({ key, title, help, text, value, ...more })

const TO = { '': 'all', ...KINDS }

const columnsOf = open => [
  {
    key: 'client',
    title: 'Client',
    value: flow => endOf(flow.client, flow.source, flow.clientCluster),
    open,
  },
  { key: 'server', title: 'Server', value: flow => endOf(flow.server, flow.asked, flow.serverCluster) },
  { key: 'asked', title: 'Address', value: ({ asked }) => addressOf(asked), kind: 'quiet', low: true },
  {
    key: 'state',
    title: 'State',
    value: ({ protocol, state }) => (protocol === 'udp' ? 'UDP' : state),
    mark: ({ state }) => (WAITING.includes(state) ? 'fair' : undefined),
    low: true,
  },
  number('rtt', 'RTT', 'smoothed, of the client where it is known', time, rttOf, { csv: 'rtt_ms' }),
  number(
    'sent',
    'To server',
    'payload in the last window, per second',
    rate,
    ({ sentPerSecond }) => sentPerSecond,
  ),
  number(
    'rcvd',
    'To client',
    'payload in the last window, per second',
    rate,
    ({ rcvdPerSecond }) => rcvdPerSecond,
  ),
  number(
    'total',
    'Total',
    'payload both ways since it is known',
    bytes,
    ({ total }) => total.bytes + total.revBytes,
  ),
  number('retransmits', 'Retrans', 'segments sent again since it is known', count, again, {
    mark: flow => (again(flow) > 0 ? 'fair' : undefined),
    low: true,
  }),
  {
    key: 'service',
    title: 'Service',
    help: 'that the client asked for, as the cluster calls it',
    value: ({ service }) =>
      service ? `${service.namespace}/${service.name}:${service.portName || service.port}` : '',
    low: true,
  },
  number(
    'age',
    'Age',
    'since it was opened',
    age,
    flow => (isOld(flow) ? flow.closed : Date.now() / 1000) - flow.opened,
    { low: true },
  ),
]

export function connections(place, live) {
  let isClosed = false
  const draw = () => !isClosed && opened.draw(current())
  const to = new Choice('connections-to', 'to', 'what', TO)
  place.append(h('div', { class: 'choices' }, to.element))
  const charts = new Charts(place)
  const series = new Series('container', live, draw)
  const details = new Details(place)
  const table = new Table(
    place,
    'Connections',
    columnsOf(flow => details.open(flow)),
    '-total',
  )
  const tell = note(place)
  const askedOf = view => ({ ...filtersOf(view), to: to.draw(view.to) })
  const poll = new Poll(view => ask('api/connections', askedOf(view)), draw)
  const stop = live.onWindow(() => {
    series.add(current())
    poll.stale()
  })
  const opened = {
    draw(view) {
      series.choose(view)
      charts.draw(series, RANGES[view.range])
      poll.draw(JSON.stringify(askedOf(view)), view)
      const { connections = [], total = 0 } = poll.answer ?? {}
      table.draw(connections, view.sort, total)
      tell(poll.problem || (poll.answer && total === 0 ? 'No connection that fits.' : ''))
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
