/** Who talks to whom: the live conversations, as a list and as a map. */

import type { Conversation, End } from '../flows/conversation.ts'
import type { Flows } from '../flows/flows.ts'
import { Problem } from '../routes.ts'
import { liveOf } from './live_flows.ts'

/** Most that are sent, those that carried most first. */
const MAX_CONNECTIONS = 1000
const MAX_EDGES = 300

type Named = readonly [id: string, name: string]
/** Containers of many pods have the same name. */
const calledOf = ({ pod, containerName, container }: End): string =>
  [pod, containerName || container].filter(Boolean).join('/')
const containerOf = (end: End): Named => [`${end.host} ${end.container}`, calledOf(end) || `(${end.host})`]
/** What a node of the map is, and what it is called. */
const NODES = {
  container: containerOf,
  pod: (end: End): Named =>
    end.pod ? [`${end.namespace}/${end.pod}`, `${end.namespace}/${end.pod}`] : containerOf(end),
  process: (end: End): Named => [
    `${end.host} ${end.container} ${end.process}`,
    end.container ? `${end.process} in ${calledOf(end)}` : end.process,
  ],
  host: (end: End): Named => [end.host, end.host],
}
type By = keyof typeof NODES

export interface Node {
  readonly id: string
  readonly name: string
  /** No probe sees it. */
  readonly outside: boolean
  /** Filters that show it alone. */
  readonly only: Readonly<Record<string, string>>
}

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

export interface Connections {
  readonly connections: readonly Conversation[]
  readonly total: number
}

export async function connectionsOf(flows: Flows, asked: URLSearchParams): Promise<Connections> {
  const found = await chosen(flows, asked)
  const weight = ({ window, total }: Conversation) =>
    (window.bytes + window.revBytes) * 1e6 + total.bytes + total.revBytes
  const connections = found.sort((a, b) => weight(b) - weight(a)).slice(0, MAX_CONNECTIONS)
  return { connections, total: found.length }
}

export async function mapOf(flows: Flows, asked: URLSearchParams): Promise<TalkMap> {
  const by = asked.get('by') ?? 'container'
  if (!Object.hasOwn(NODES, by)) throw new Problem(400, `by must be one of ${Object.keys(NODES).join(', ')}`)
  const found = await chosen(flows, asked)
  const nodes = new Map<string, Node & { readonly index: number }>()
  const edges = new Map<string, Edge>()
  const indexOf = (node: Node): number => {
    const known = nodes.get(node.id) ?? { ...node, index: nodes.size }
    nodes.set(node.id, known)
    return known.index
  }
  for (const flow of found) {
    const client = indexOf(nodeOf(by as By, flow.client, flow.source.ip))
    const server = indexOf(nodeOf(by as By, flow.server, flow.asked.ip))
    const key = `${client} ${server}`
    const edge = edges.get(key) ?? { ...NO_EDGE, client, server }
    edges.set(key, edge)
    add(edge, flow)
  }
  return busiest([...nodes.values()], [...edges.values()], found.length)
}

const NO_EDGE = { flows: 0, bytes: 0, windowBytes: 0, retransmits: 0, rtt: null }

function add(edge: Edge, { total, window, client, server }: Conversation): void {
  edge.flows++
  edge.bytes += total.bytes + total.revBytes
  edge.windowBytes += window.bytes + window.revBytes
  edge.retransmits += (client?.windowRetransmits ?? 0) + (server?.windowRetransmits ?? 0)
  const us = client?.rttUs ?? server?.rttUs
  if (us !== undefined) edge.rtt = Math.max(edge.rtt ?? 0, us / 1000)
}

/** Only the nodes that an edge still has. */
function busiest(nodes: readonly Node[], all: readonly Edge[], flows: number): TalkMap {
  const weight = (edge: Edge) => edge.windowBytes * 1e6 + edge.bytes + edge.flows
  const kept = all.toSorted((a, b) => weight(b) - weight(a)).slice(0, MAX_EDGES)
  const places = new Map<number, number>()
  for (const { client, server } of kept)
    for (const at of [client, server]) if (!places.has(at)) places.set(at, places.size)
  const edges = kept.map(edge => ({
    ...edge,
    client: places.get(edge.client)!,
    server: places.get(edge.server)!,
  }))
  const shown = [...places.keys()].map(at => {
    const { id, name, outside, only } = nodes[at]!
    return { id, name, outside, only }
  })
  return { nodes: shown, edges, total: { edges: all.length, flows } }
}

function nodeOf(by: By, end: End | undefined, address: string): Node {
  if (!end) return { id: address, name: address, outside: true, only: { text: address } }
  const [id, name] = NODES[by](end)
  return { id, name, outside: false, only: onlyOf(by, end) }
}

function onlyOf(by: By, end: End): Record<string, string> {
  if (by === 'host') return { host: end.host }
  if (by === 'pod' && end.pod) return { namespace: end.namespace ?? '', pod: end.pod }
  const container = { container: end.container || '(host)' }
  return by === 'process' ? { ...container, process: end.process } : container
}

/** Those with an end that all filters fit, and with the text somewhere. */
async function chosen(flows: Flows, asked: URLSearchParams): Promise<Conversation[]> {
  const fits = fitting(asked)
  const text = asked.get('text')?.toLowerCase() ?? ''
  const role = asked.get('role')
  const found: Conversation[] = []
  for await (const flow of liveOf(flows)) {
    const { client, server } = flow
    const isOne = (role !== 'server' && fits(client)) || (role !== 'client' && fits(server))
    if (isOne && (text === '' || textOf(flow).includes(text))) found.push(flow)
  }
  return found
}

function fitting(asked: URLSearchParams): (end: End | undefined) => boolean {
  const tags = (['host', 'namespace', 'pod', 'container', 'process'] as const).flatMap(tag => {
    const wanted = asked.get(tag)
    return wanted ? [{ tag, wanted: wanted === '(host)' ? '' : wanted }] : []
  })
  return end => (end ? tags.every(({ tag, wanted }) => (end[tag] ?? '') === wanted) : tags.length === 0)
}

const wordsOf = (end: End | undefined) =>
  end ? [end.process, end.containerName, end.container, end.pod, end.namespace, end.host] : []
const textOf = ({ source, asked, answered, client, server, state }: Conversation): string =>
  [
    ...wordsOf(client),
    ...wordsOf(server),
    ...[source, asked, answered].map(at => at && `${at.ip}:${at.port}`),
    state,
  ]
    .join(' ')
    .toLowerCase()
