/** Who talks to whom: the live conversations, added up between nodes. */

import { carried, IN_WINDOW, TOTAL } from '../../flows/conversation.ts'
import type { Flows } from '../../flows/flows.ts'
import { WORD } from '../../flows/table/columns.ts'
import type { FlowStore } from '../../flows/table/store.ts'
import { filterOf } from './asked.ts'
import { eachLive } from './each.ts'
import { Heaviest } from './heaviest.ts'
import { byOf, type Node, Nodes } from './nodes.ts'

/** Most that are sent, those that carried most first. */
const MAX_EDGES = 300
/** More nodes than there are flows. */
const NODES = 2 ** 26

export interface Edge {
  /** Index of a node. */
  readonly client: number
  readonly server: number
  flows: number
  /** Payload since the flows are known, both ways. */
  bytes: number
  /** In the last window. */
  windowBytes: number
  retransmits: number
  /** Of the slowest flow, ms. */
  rtt: number | null
}

export interface TalkMap {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
  /** Edges and flows there are, also those that are not shown. */
  readonly total: { readonly edges: number; readonly flows: number }
}

export async function mapOf(flows: Flows, asked: URLSearchParams): Promise<TalkMap> {
  const { store } = flows
  const nodes = new Nodes(store, byOf(asked))
  const edges = new Map<number, Edge>()
  let found = 0
  await eachLive(flows, filterOf(asked), (client, server) => {
    found++
    const [from, to] = [nodes.numberOf(client, server), nodes.numberOf(server, client)]
    const key = from * NODES + to
    let edge = edges.get(key)
    if (!edge) {
      edge = { client: from, server: to, ...NOTHING }
      edges.set(key, edge)
    }
    add(edge, store, client, server)
  })
  return { ...busiest(nodes, edges.values()), total: { edges: edges.size, flows: found } }
}

const NOTHING = { flows: 0, bytes: 0, windowBytes: 0, retransmits: 0, rtt: null }

function add(edge: Edge, store: FlowStore, client: number, server: number): void {
  const [window, total] = [IN_WINDOW, TOTAL].map(sums => carried(store, client, server, sums))
  const word = (flow: number, at: number) => (flow === 0 ? 0 : store.table.word(flow, at))
  edge.flows++
  edge.bytes += total!.bytes + total!.revBytes
  edge.windowBytes += window!.bytes + window!.revBytes
  edge.retransmits += word(client, WORD.WINDOW_RESENT) + word(server, WORD.WINDOW_RESENT)
  const us = word(client, WORD.RTT) || word(server, WORD.RTT)
  if (us !== 0) edge.rtt = Math.max(edge.rtt ?? 0, us / 1000)
}

/** Only the nodes that an edge still has. */
function busiest(nodes: Nodes, all: Iterable<Edge>): Pick<TalkMap, 'nodes' | 'edges'> {
  const heaviest = new Heaviest<Edge>(MAX_EDGES)
  for (const edge of all) heaviest.add(edge.windowBytes * 1e6 + edge.bytes + edge.flows, () => edge)
  const kept = heaviest.values()
  const places = new Map<number, number>()
  for (const { client, server } of kept)
    for (const at of [client, server]) if (!places.has(at)) places.set(at, places.size)
  return {
    nodes: [...places.keys()].map(at => nodes.at(at)),
    edges: kept.map(edge => ({
      ...edge,
      client: places.get(edge.client)!,
      server: places.get(edge.server)!,
    })),
  }
}
