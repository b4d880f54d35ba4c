/** Who talks to whom: the live conversations, added up between nodes. */

import { carried, TOTAL } from '../../flows/conversation.ts'
import type { Flows } from '../../flows/flows.ts'
import { WORD } from '../../flows/table/columns.ts'
import type { FlowStore } from '../../flows/table/store.ts'
import { filterOf } from './asked.ts'
import { eachLive } from './each.ts'
import { Heaviest } from './heaviest.ts'
import { type Kind, kindOf, kindsOf, serviceOf } from './kinds.ts'
import { byOf, type Node, Nodes } from './nodes.ts'
import { ratesOf } from './rates.ts'

/** Most that are sent, those that carried most first. */
const MAX_EDGES = 300

/** Of several conversations together. Payload goes to the server or, `rev`, to the client. */
export interface Sums {
  flows: number
  /** Since the flows are known. */
  bytes: number
  revBytes: number
  /** Payload of the last window, bytes per second. */
  sentPerSecond: number
  rcvdPerSecond: number
  retransmits: number
  /** Of the slowest flow, ms. */
  rtt: number | null
}

export interface Edge extends Sums {
  /** Index of a node. */
  readonly client: number
  readonly server: number
  /** The node of the Service that was asked for; where kinds are asked for. */
  readonly via?: number
}

export interface TalkMap {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
  /** Edges and flows there are, also those that are not shown. */
  readonly total: { readonly edges: number; readonly flows: number }
  /** All that fit the filters, by what the traffic of pods goes to; where kinds are asked for. */
  readonly kinds?: Readonly<Partial<Record<Kind, Sums>>>
}

/** @param asked filters, `by` and, for pictures of what pods do, `to` */
export async function mapOf(flows: Flows, asked: URLSearchParams): Promise<TalkMap> {
  const { store } = flows
  const nodes = new Nodes(store, byOf(asked))
  const wanted = kindsOf(asked)
  const kinds: Partial<Record<Kind, Sums>> = {}
  const edges = new Map<string, Edge>()
  let found = 0
  await eachLive(flows, filterOf(asked), (client, server) => {
    const kind = wanted && kindOf(flows, client, server)
    if (wanted) {
      if (kind === undefined) return
      kinds[kind] ??= { ...NOTHING }
      add(kinds[kind], store, client, server)
      if (!wanted.includes(kind)) return
    }
    found++
    const [from, to] = [nodes.numberOf(client, server), nodes.numberOf(server, client)]
    const service = kind === 'service' ? serviceOf(store, client, server) : undefined
    const via = service && nodes.numberOfService(service)
    const key = `${from} ${to} ${via ?? ''}`
    let edge = edges.get(key)
    if (!edge) {
      edge = { client: from, server: to, ...(via !== undefined && { via }), ...NOTHING }
      edges.set(key, edge)
    }
    add(edge, store, client, server)
  })
  return {
    ...busiest(nodes, edges.values()),
    total: { edges: edges.size, flows: found },
    ...(wanted && { kinds }),
  }
}

const NOTHING: Sums = {
  ...{ flows: 0, bytes: 0, revBytes: 0, sentPerSecond: 0, rcvdPerSecond: 0, retransmits: 0, rtt: null },
}

function add(sums: Sums, store: FlowStore, client: number, server: number): void {
  const total = carried(store, client, server, TOTAL)
  const { sentPerSecond, rcvdPerSecond } = ratesOf(store, client, server)
  const word = (flow: number, at: number) => (flow === 0 ? 0 : store.table.word(flow, at))
  const resent = (flow: number) => (flow !== 0 && store.isRecent(flow) ? word(flow, WORD.WINDOW_RESENT) : 0)
  sums.flows++
  sums.bytes += total.bytes
  sums.revBytes += total.revBytes
  sums.sentPerSecond += sentPerSecond
  sums.rcvdPerSecond += rcvdPerSecond
  sums.retransmits += resent(client) + resent(server)
  const us = word(client, WORD.RTT) || word(server, WORD.RTT)
  if (us !== 0) sums.rtt = Math.max(sums.rtt ?? 0, us / 1000)
}

const weightOf = ({ sentPerSecond, rcvdPerSecond, bytes, revBytes, flows }: Sums): number =>
  (sentPerSecond + rcvdPerSecond) * 1e6 + bytes + revBytes + flows

/** Only the nodes that an edge still has. */
function busiest(nodes: Nodes, all: Iterable<Edge>): Pick<TalkMap, 'nodes' | 'edges'> {
  const heaviest = new Heaviest<Edge>(MAX_EDGES)
  for (const edge of all) heaviest.add(weightOf(edge), () => edge)
  const kept = heaviest.values()
  const places = new Map<number, number>()
  for (const { client, server, via = client } of kept)
    for (const at of [client, server, via]) if (!places.has(at)) places.set(at, places.size)
  return {
    nodes: [...places.keys()].map(at => nodes.at(at)),
    edges: kept.map(edge => ({
      ...edge,
      client: places.get(edge.client)!,
      server: places.get(edge.server)!,
      ...(edge.via !== undefined && { via: places.get(edge.via)! }),
    })),
  }
}
