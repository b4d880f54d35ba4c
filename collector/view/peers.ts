/**
 * Who talks to whom: the live conversations of each pair of programs, by the server's port. `GET /peers` on the collector's unix
 * socket answers `{ peers, total }`, those with unanswered connections first, then the busiest.
 */

import { setImmediate as turn } from 'node:timers/promises'
import type { Flows } from '../flows/flows.ts'
import { NUMBER, WORD } from '../flows/table/columns.ts'
import { endsOf, type FlowStore, protocolOf, TCP } from '../flows/table/store.ts'
import { Problem, type Routes } from '../routes.ts'
import { type PeerEnd, PeerNames } from './peer_names.ts'
import { isUnanswered } from './unanswered.ts'

export type { PeerEnd } from './peer_names.ts'

export interface PeerRow {
  readonly id: string
  readonly client: PeerEnd
  readonly server: PeerEnd
  /** That the client asked for. */
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  readonly flows: number
  /** Connections whose SYN nobody has answered. */
  readonly waiting: number
  /** Bytes of payload, by the client; means over the last window. */
  readonly sentPerSecond: number
  readonly rcvdPerSecond: number
  /** ms: mean of the smoothed RTTs, of the client's sockets where it is known; null when none was measured. */
  readonly rtt: number | null
  /** In the last window, of both ends. */
  readonly retransmits: number
}

export interface PeersAnswer {
  readonly peers: readonly PeerRow[]
  /** All there are; of many, the answer has the first ones. */
  readonly total: number
}

const MOST = 1000
/** Pairs that are counted: far more than anybody reads. */
const MOST_PAIRS = 50_000
/** Flows that are looked at before other work of the collector has its turn: some milliseconds. */
const SLICE = 10_000

type Sums = { -readonly [K in keyof PeerRow]: PeerRow[K] } & { rttUs: number; measured: number }

export async function peersOf(store: FlowStore): Promise<PeersAnswer> {
  const names = new PeerNames(store)
  const pairs = new Map<string, Sums>()
  for (let flow = 1; flow < store.table.used; flow++) {
    if (flow % SLICE === 0) await turn()
    if (store.table.word(flow, WORD.RUN) === 0) continue
    const { client, server } = endsOf(store, flow)
    if (flow === (client || server) && !store.isClosed(flow)) count(store, names, pairs, client, server)
  }
  const rows = [...pairs.values()].sort(
    (a, b) => b.waiting - a.waiting || rateOf(b) - rateOf(a) || b.flows - a.flows,
  )
  return { peers: rows.slice(0, MOST).map(row), total: rows.length }
}

const rateOf = ({ sentPerSecond, rcvdPerSecond }: PeerRow): number => sentPerSecond + rcvdPerSecond

const row = ({ rttUs, measured, ...sums }: Sums): PeerRow => ({
  ...sums,
  rtt: measured > 0 ? rttUs / measured / 1000 : null,
})

function count(
  store: FlowStore,
  names: PeerNames,
  pairs: Map<string, Sums>,
  client: number,
  server: number,
): void {
  const { table } = store
  const lead = client || server
  const port = client ? table.word(client, WORD.PORTS) & 0xffff : table.word(server, WORD.PORTS) >>> 16
  const protocol = protocolOf(table.word(lead, WORD.KIND)) === TCP ? 'tcp' : 'udp'
  const id = `${names.key(client, server)} ${names.key(server, client)} ${port} ${protocol}`
  let pair = pairs.get(id)
  if (!pair) {
    if (pairs.size >= MOST_PAIRS) return
    pair = {
      ...{ id, client: names.of(client, server), server: names.of(server, client), port, protocol },
      ...{
        flows: 0,
        waiting: 0,
        sentPerSecond: 0,
        rcvdPerSecond: 0,
        rtt: null,
        retransmits: 0,
        rttUs: 0,
        measured: 0,
      },
    }
    pairs.set(id, pair)
  }
  const run = store.runOf(lead)
  pair.flows++
  if (client && isUnanswered(store, client)) pair.waiting++
  const rtt = (client && table.word(client, WORD.RTT)) || (server && table.word(server, WORD.RTT))
  if (rtt > 0) {
    pair.rttUs += rtt
    pair.measured++
  }
  for (const end of [client, server])
    if (end && store.isRecent(end)) pair.retransmits += table.word(end, WORD.WINDOW_RESENT)
  if (!store.isRecent(lead)) return
  const [sent, rcvd] = client
    ? [NUMBER.WINDOW_BYTES_SENT, NUMBER.WINDOW_BYTES_RCVD]
    : [NUMBER.WINDOW_BYTES_RCVD, NUMBER.WINDOW_BYTES_SENT]
  pair.sentPerSecond += table.number(lead, sent) / run.interval
  pair.rcvdPerSecond += table.number(lead, rcvd) / run.interval
}

export const peerRoutes = ({ store, isWanted }: Flows): Routes => ({
  'GET /peers': async () => {
    if (!isWanted) throw new Problem(404, 'this collector keeps no flows: start it with --flows')
    return peersOf(store)
  },
})
