/**
 * Which conversations are wanted. What is said of one end (pod, namespace, process, container, host) has to be true of one and
 * the same end; what is said of its peer, of the other one.
 */

import { addressText } from '../../wire/address_text.ts'
import type { PodName } from '../../wire/message.ts'
import { processCalled, shortId } from '../fold/names.ts'
import { STATES } from './conversation.ts'
import { beganMs, type ClusterEnd, clusterEndOf, clusterOf, podOf } from './ends/cluster_ends.ts'
import { NUMBER, WORD } from './table/columns.ts'
import { type FlowStore, protocolOf, stateOf, TCP } from './table/store.ts'

/** Of an end. */
export const END_FILTERS = ['pod', 'namespace', 'process', 'container', 'host'] as const
export type EndKind = (typeof END_FILTERS)[number]

export interface Filter {
  /** All of these, of one end; a pod may be given as `namespace/name`. */
  readonly end: Readonly<Partial<Record<EndKind, string>>>
  /** Which end that is; either, when left out. */
  readonly role?: 'client' | 'server'
  /** The other end: of this kind and name. */
  readonly with?: readonly [EndKind, string]
  /** The other end: an address or, with `unknown`, one that no probe watches. */
  readonly peer?: string
  /** Of the server. */
  readonly port?: number
  readonly protocol?: 'tcp' | 'udp'
  /** `ESTABLISHED`, …; `open`: every one that has not ended. */
  readonly state?: string
  /** Words that names, addresses and ports of both ends have, in any case: `nginx 8080`; `=10.0.0.1` is all of one. */
  readonly text?: string
}

/** As the name of a container: what is in none. */
export const ON_HOST = '(host)'

type Ends = readonly [one: number, other: number]

/** @returns whether a conversation is wanted, given its client's flow and its server's, 0 for one that is unknown */
export function predicateOf(store: FlowStore, filter: Filter): (client: number, server: number) => boolean {
  const { end, role, with: other, peer, port, protocol, state, text = '' } = filter
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const ends = Object.entries(end) as [EndKind, string][]
  const fits = ([one, far]: Ends) =>
    ends.every(([kind, name]) => isCalled(store, one, far, kind, name)) &&
    (other === undefined || isCalled(store, far, one, ...other)) &&
    (peer === undefined || (peer === 'unknown' ? far === 0 : isAt(store, one, far, peer)))
  const hasEnds = ends.length > 0 || other !== undefined || peer !== undefined
  return (client, server) => {
    const kind = store.table.word(client || server, WORD.KIND)
    if (protocol !== undefined && (protocolOf(kind) === TCP ? 'tcp' : 'udp') !== protocol) return false
    if (
      state === 'open'
        ? store.isClosed(client || server)
        : state !== undefined && STATES[stateOf(kind)] !== state
    )
      return false
    if (port !== undefined && !serverPorts(store, client, server).includes(port)) return false
    const isClients = () => role !== 'server' && fits([client, server])
    const isServers = () => role !== 'client' && fits([server, client])
    if (hasEnds && !isClients() && !isServers()) return false
    return words.length === 0 || hasWords(store, client, server, words)
  }
}

function hasWords(store: FlowStore, client: number, server: number, words: readonly string[]): boolean {
  const { table, places, programs } = store
  const text = [client, server].flatMap(flow => {
    if (flow === 0) return []
    const [place, program] = [
      places.get(table.word(flow, WORD.PLACE)),
      programs.get(table.word(flow, WORD.PROGRAM)),
    ]
    const pid = table.word(flow, WORD.PID)
    const pod = place && podOf(store, place)
    const address = (first: number) =>
      addressText(
        table.word(flow, first),
        table.word(flow, first + 1),
        table.word(flow, first + 2),
        table.word(flow, first + 3),
      )
    const [local, remote] = [address(WORD.LOCAL), address(WORD.REMOTE)]
    const ports = table.word(flow, WORD.PORTS)
    const kind = table.word(flow, WORD.KIND)
    return [
      ...[pid, processCalled(pid, program?.comm ?? '', program?.name), place ? shortId(place.id) : ON_HOST],
      ...(pod ? [pod.name, pod.namespace, `${pod.namespace}/${pod.name}`] : []),
      ...[place?.name.name ?? '', store.runOf(flow).host],
      ...[local, remote, `${local}:${ports >>> 16}`, `${remote}:${ports & 0xffff}`],
      ...[protocolOf(kind) === TCP ? 'tcp' : 'udp', STATES[stateOf(kind)] ?? ''],
    ]
  })
  const names = [...text, ...clusterWords(store, client, server)].map(name => String(name).toLowerCase())
  const all = names.join(' ')
  return words.every(word => (/^=./.test(word) ? names.includes(word.slice(1)) : all.includes(word)))
}

/** Names that the cluster has for either end, and for the Service. */
function clusterWords(store: FlowStore, client: number, server: number): string[] {
  if (!store.facts.isKnown) return []
  const atMs = beganMs(store, client || server)
  const { clientCluster, serverCluster, service } = clusterOf(store, client, server, atMs)
  return [clientCluster, serverCluster, service].flatMap(known => {
    if (!known) return []
    const of = (name: string) => (known.namespace === undefined ? name : `${known.namespace}/${name}`)
    if ('by' in known) return [of(known.name)]
    return [of(known.name), known.ownerName ? of(known.ownerName) : '', known.node ?? '']
  })
}

/** The one that was asked, and the one that answered. */
function serverPorts({ table }: FlowStore, client: number, server: number): number[] {
  const asked = client ? [table.word(client, WORD.PORTS) & 0xffff] : []
  return server ? [...asked, table.word(server, WORD.PORTS) >>> 16] : asked
}

/** @param far the other end: of one that no probe watches, it has the address that the cluster knows */
function isCalled(store: FlowStore, flow: number, far: number, kind: EndKind, name: string): boolean {
  if (flow === 0) return isKnownAs(store, far, kind, name)
  const { table } = store
  if (kind === 'host') return store.runOf(flow).host === name
  if (kind === 'process') {
    const pid = table.word(flow, WORD.PID)
    const program = store.programs.get(table.word(flow, WORD.PROGRAM))
    return String(pid) === name || processCalled(pid, program?.comm ?? '', program?.name) === name
  }
  const place = store.places.get(table.word(flow, WORD.PLACE))
  if (!place) return kind === 'container' && name === ON_HOST
  if (kind === 'container') return place.id === name || shortId(place.id) === name || place.name.name === name
  const pod = podOf(store, place)
  return pod !== undefined && isPod(pod, kind, name)
}

function isKnownAs(store: FlowStore, far: number, kind: EndKind, name: string): boolean {
  if (far === 0 || (kind !== 'pod' && kind !== 'namespace')) return false
  const { kind: is, namespace = '', ...end } = clusterEndOf(store, 0, far, beganMs(store, far)) ?? NOBODY
  return is === 'pod' && isPod({ name: end.name, namespace }, kind, name)
}

const NOBODY: Pick<ClusterEnd, 'name' | 'namespace'> & { readonly kind?: undefined } = { name: '' }

const isPod = (pod: PodName, kind: 'pod' | 'namespace', name: string): boolean =>
  kind === 'namespace' ? pod.namespace === name : pod.name === name || `${pod.namespace}/${pod.name}` === name

/** The far end's own address or, seen from the near one, whom it talks to. */
function isAt(store: FlowStore, near: number, far: number, ip: string): boolean {
  const at = (flow: number, first: number) => {
    const word = (index: number) => store.table.word(flow, first + index)
    return addressText(word(0), word(1), word(2), word(3)) === ip
  }
  return (far !== 0 && at(far, WORD.LOCAL)) || (near !== 0 && at(near, WORD.REMOTE))
}

const mostOf = (client: number, server: number, of: (flow: number) => number): number =>
  Math.max(client === 0 ? 0 : of(client), server === 0 ? 0 : of(server))

/** What conversations are sorted by, the most first. */
export const ORDERS: Readonly<Record<string, (store: FlowStore, client: number, server: number) => number>> =
  {
    bytes: (store, client, server) =>
      mostOf(client, server, flow =>
        store.isRecent(flow)
          ? store.table.number(flow, NUMBER.WINDOW_BYTES_SENT) +
            store.table.number(flow, NUMBER.WINDOW_BYTES_RCVD)
          : 0,
      ),
    total: ({ table }, client, server) =>
      mostOf(
        client,
        server,
        flow => table.number(flow, NUMBER.BYTES_SENT) + table.number(flow, NUMBER.BYTES_RCVD),
      ),
    rtt: ({ table }, client, server) => table.word(client || server, WORD.RTT),
    retransmits: (store, client, server) =>
      [client, server].reduce(
        (sum, flow) =>
          sum + (flow !== 0 && store.isRecent(flow) ? store.table.word(flow, WORD.WINDOW_RESENT) : 0),
        0,
      ),
    opened: (store, client, server) => {
      const flow = client || server
      return store.table.number(flow, NUMBER.OPENED) + (store.runOf(flow).offsetMs ?? 0)
    },
  }
