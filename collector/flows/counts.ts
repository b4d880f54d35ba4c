/** Flows of a window by who is at the other end, for stores of measurements: names and ranges, never addresses. */

import { ROLE_SERVER } from '../../wire/records.ts'
import { shortId } from '../fold/names.ts'
import type { FlatRow } from '../fold/records/record.ts'
import { ipAt } from './conversation.ts'
import { WORD } from './table/columns.ts'
import type { Run } from './table/run.ts'
import { type FlowStore, roleOf } from './table/store.ts'

/** Of one host's window: `subnet:num_flows` and `peer:num_flows`. */
export interface FlowCounts {
  readonly subnet: readonly FlatRow[]
  readonly peer: readonly FlatRow[]
  /** Live conversations with a pod of this host; absent when nobody asks. */
  readonly pods?: number
}

/** Rows of one window; what is beyond counts in a row of its own. */
const MAX_ROWS = 50_000
const BEYOND = '~other'
/** An end that no probe watches and that is in no named range. */
const UNKNOWN = 'unknown'

export function countFlows(store: FlowStore, run: Run): FlowCounts {
  const [bySubnet, byPeer] = [new Tally(), new Tally()]
  const { table, subnets } = store
  for (const flow of store.ofRun(run)) {
    if (table.word(flow, WORD.WINDOW) !== run.window + 1) continue
    const isServer = roleOf(table.word(flow, WORD.KIND)) === ROLE_SERVER
    const peer = table.word(flow, WORD.PEER)
    const subnet = subnets.nameOf(peer === 0 ? ipAt(store, flow, 'remote') : ipAt(store, peer, 'local'))
    if (subnet !== '') bySubnet.count({ subnet }, isServer)
    byPeer.count(
      { end: nameOf(store, flow), peer: peer === 0 ? subnet || UNKNOWN : nameOf(store, peer) },
      isServer,
    )
  }
  return { subnet: bySubnet.rows(), peer: byPeer.rows() }
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
  if (place.pod) return `${place.pod.namespace}/${place.pod.name}`
  return place.name.name ?? shortId(place.id)
}

interface TallyRow {
  readonly tags: Record<string, string>
  readonly numbers: { as_client: number; as_server: number }
}

class Tally {
  readonly #rows = new Map<string, TallyRow>()

  count(tags: Record<string, string>, isServer: boolean): void {
    const key = Object.values(tags).join('\0')
    const isBeyond = !this.#rows.has(key) && this.#rows.size >= MAX_ROWS
    const beyond = () => Object.fromEntries(Object.keys(tags).map(name => [name, BEYOND]))
    const row = this.#row(isBeyond ? BEYOND : key, isBeyond ? beyond() : tags)
    row.numbers[isServer ? 'as_server' : 'as_client']++
  }

  #row(key: string, tags: Record<string, string>): TallyRow {
    const row = this.#rows.get(key) ?? { tags, numbers: { as_client: 0, as_server: 0 } }
    this.#rows.set(key, row)
    return row
  }

  rows(): FlatRow[] {
    return [...this.#rows.values()]
  }
}
