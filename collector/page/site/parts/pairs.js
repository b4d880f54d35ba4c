/** Pairs of who talks and with whom, as columns of tables. */

import { bytes, count, rate, time } from '../data/units.js'
import { hrefOf, NO_FILTER } from '../view.js'

/** What traffic of pods can be bounded to, as the collector calls it. */
export const KINDS = {
  pod: 'pod to pod',
  service: 'pod to Service',
  external: 'pod to outside',
  inbound: 'outside to pod',
}

/** The connections of a node; the filters that were chosen before would hide them. */
export const linkOf = ({ only }) => hrefOf({ view: 'connections', sort: '', ...NO_FILTER, ...only })

export const client = {
  ...{ key: 'client', title: 'Client', value: ({ from }) => from.name, href: ({ from }) => linkOf(from) },
}
export const server = {
  ...{ key: 'server', title: 'Server', value: ({ to }) => to.name, href: ({ to }) => linkOf(to) },
}
export const flows = { key: 'flows', title: 'Flows', value: ({ flows }) => flows, text: count }
export const rtt = {
  ...{ key: 'rtt', title: 'RTT', help: 'of the slowest of them', value: ({ rtt }) => rtt, text: time },
  csv: 'rtt_ms',
}
export const retransmits = {
  key: 'retransmits',
  title: 'Retrans',
  help: 'segments sent again in the last window',
  value: ({ retransmits }) => retransmits,
  text: count,
  mark: ({ retransmits }) => (retransmits > 0 ? 'fair' : undefined),
}

/** Each direction by itself. */
export const directions = [
  {
    key: 'sent',
    title: 'To server',
    help: 'payload in the last window, per second',
    value: ({ sentPerSecond }) => sentPerSecond,
    text: rate,
    csv: 'to_server_bytes_per_s',
  },
  {
    key: 'rcvd',
    title: 'To client',
    help: 'payload in the last window, per second',
    value: ({ rcvdPerSecond }) => rcvdPerSecond,
    text: rate,
    csv: 'to_client_bytes_per_s',
  },
  {
    key: 'bytes',
    title: 'Total to server',
    help: 'payload since the connections are known',
    value: ({ bytes }) => bytes,
    text: bytes,
    csv: 'to_server_bytes',
    low: true,
  },
  {
    key: 'revBytes',
    title: 'Total to client',
    help: 'payload since the connections are known',
    value: ({ revBytes }) => revBytes,
    text: bytes,
    csv: 'to_client_bytes',
    low: true,
  },
]
