/** Flows of a window by who is at their ends, for stores of measurements: names and ranges, never addresses. */

import { ROLE_SERVER } from '../../../wire/records.ts'
import { shortId } from '../../fold/names.ts'
import type { FlatRow } from '../../fold/records/record.ts'
import { askedService, beganMs, clusterEndOf, podOf, rangeOf } from '../ends/cluster_ends.ts'
import { ipAt } from '../ends/endpoint.ts'
import { isSeenByClient } from '../ends/halves.ts'
import { NUMBER, WORD } from '../table/columns.ts'
import type { Run } from '../table/run.ts'
import { endsOf, type FlowStore, roleOf } from '../table/store.ts'
import { nodeRow } from './node_traffic.ts'
import { Tally } from './tally.ts'

/** The groups of measurements that are counted here, by the names of their sources. */
export const COUNTED = ['subnet', 'peer', 'service', 'node'] as const
type Counted = (typeof COUNTED)[number]

/** Of one host's window. */
export interface FlowCounts extends Readonly<Partial<Record<Counted, readonly FlatRow[]>>> {
  /** Live conversations with a pod of this host; absent when nobody asks. */
  readonly pods?: number
}

/** An end that no probe watches, that the cluster does not know, and that is in no named range. */
const UNKNOWN = 'unknown'

/** What the addresses that sockets have had lately say of the other end of a flow. */
export interface Far {
  /** A probe watches that address, on any machine. */
  isPeerWatched(flow: number): boolean
  /** One of another machine does, and none of its own. */
  isPeerElsewhere(flow: number): boolean
}

interface Counting {
  readonly store: FlowStore
  readonly far: Far
  /** Flows of servers that counted without their client: the label of that window. */
  readonly alone: Map<number, number>
}
type Count = (counting: Counting, flow: number, tally: Tally) => void

const COUNTS: Readonly<Record<Counted, Count>> = {
  subnet({ store }, flow, tally) {
    const subnet = farRange(store, flow)
    if (subnet !== '') tally.add({ subnet }, ROLES, [roleIn(store, flow)])
  },
  peer({ store }, flow, tally) {
    const peer = store.table.word(flow, WORD.PEER)
    const far = peer === 0 ? farName(store, flow) : nameOf(store, peer)
    tally.add({ end: nameOf(store, flow), peer: far }, ROLES, [roleIn(store, flow)])
  },
  /** A conversation counts once: at its client or, where no probe has that, at its server. */
  service({ store, far, alone }, flow, tally) {
    const { client, server } = endsOf(store, flow)
    if (flow !== (client || server)) return
    const run = store.runOf(flow)
    if (client === 0 && isSeenByClient(store, far, server)) return
    if (client !== 0 && Math.abs((alone.get(server) ?? 0) - run.time) < run.interval) return
    const service = askedService(store, client, server, beganMs(store, flow))
    if (!service) return
    if (client === 0) alone.set(server, run.time)
    const { namespace, name, portName, port, by } = service
    const [sent, rcvd] = carried(store, flow)
    const numbers = client ? { bytes: sent, rev_bytes: rcvd } : { bytes: rcvd, rev_bytes: sent }
    tally.add({ namespace, service: name, port: portName || String(port), by }, { ...numbers, flows: 1 })
  },
  /** Each end counts at its own node. */
  node({ store, far }, flow, tally) {
    const tags = nodeRow(store, far, flow)
    if (!tags) return
    const [bytes_sent, bytes_rcvd] = carried(store, flow)
    tally.add(tags, { bytes_sent, bytes_rcvd })
  },
}

const ROLES = { as_client: 0, as_server: 0 }

export class Counter {
  readonly #counting: Counting
  readonly #wanted: readonly Counted[]

  constructor(store: FlowStore, far: Far, wanted: readonly Counted[]) {
    this.#counting = { store, far, alone: new Map() }
    this.#wanted = wanted
  }

  /** Of the window of a host that has ended. */
  count(run: Run): FlowCounts {
    const { store } = this.#counting
    const tallies = this.#wanted.map(name => ({ name, count: COUNTS[name], tally: new Tally() }))
    for (const flow of store.ofRun(run)) {
      if (store.table.word(flow, WORD.WINDOW) !== run.window + 1) continue
      for (const { count, tally } of tallies) count(this.#counting, flow, tally)
    }
    return Object.fromEntries(tallies.map(({ name, tally }) => [name, tally.rows()]))
  }

  /** The flow is over, and its number another one's. */
  forget(flow: number): void {
    this.#counting.alone.delete(flow)
  }
}

const roleIn = ({ table }: FlowStore, flow: number): 'as_client' | 'as_server' =>
  roleOf(table.word(flow, WORD.KIND)) === ROLE_SERVER ? 'as_server' : 'as_client'

/** Payload that this end sent and received in the window. */
const carried = ({ table }: FlowStore, flow: number): [sent: number, rcvd: number] => [
  table.number(flow, NUMBER.WINDOW_BYTES_SENT),
  table.number(flow, NUMBER.WINDOW_BYTES_RCVD),
]

function farRange(store: FlowStore, flow: number): string {
  const peer = store.table.word(flow, WORD.PEER)
  return rangeOf(
    store,
    peer === 0 ? ipAt(store, flow, 'remote') : ipAt(store, peer, 'local'),
    beganMs(store, flow),
  )
}

/** What the cluster says, else the range. */
function farName(store: FlowStore, flow: number): string {
  const known = clusterEndOf(store, 0, flow, beganMs(store, flow))
  if (known) return known.namespace === undefined ? known.name : `${known.namespace}/${known.name}`
  return farRange(store, flow) || UNKNOWN
}

/** One between two pods of the host counts once. */
export function countPods(store: FlowStore, run: Run): number {
  const isPod = (flow: number) =>
    flow !== 0 &&
    !store.isClosed(flow) &&
    store.runOf(flow) === run &&
    store.places.get(store.table.word(flow, WORD.PLACE))?.name.pod !== undefined
  let count = 0
  for (const flow of store.ofRun(run)) {
    const peer = store.table.word(flow, WORD.PEER)
    if (isPod(flow) && !(peer < flow && isPod(peer))) count++
  }
  return count
}

/** `namespace/pod`, else the container, else the host. */
function nameOf(store: FlowStore, flow: number): string {
  const place = store.places.get(store.table.word(flow, WORD.PLACE))
  if (!place) return store.runOf(flow).host
  const pod = podOf(store, place)
  if (pod) return `${pod.namespace}/${pod.name}`
  return place.name.name ?? shortId(place.id)
}
