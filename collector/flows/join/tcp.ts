/**
 * Which two flows are the ends of one connection: those whose pairs of initial sequence numbers are the same. Both sockets
 * know both numbers, and every NAT and load balancer of layer 4 leaves them alone. The pair is sorted, so that
 * connections whose ends opened at the same time are found, too.
 */

import { FLOW_EITHER, ROLE_CLIENT, ROLE_SERVER } from '../../../wire/records.ts'
import { mix } from '../table/chains.ts'
import { MARK, WORD } from '../table/columns.ts'
import { type FlowStore, roleOf } from '../table/store.ts'

/**
 * A row has come that may say who it is.
 * @param flags `enum flow_flags`
 * @param local its own initial sequence number, and the peer's; both 0: not known yet
 */
export function identify(store: FlowStore, flow: number, flags: number, local: number, remote: number): void {
  if ((local | remote) === 0 || store.hasIdentity(flow)) return
  if ((flags & FLOW_EITHER) !== 0) {
    store.either++
    store.marks(flow, MARK.EITHER)
  }
  if (local !== remote) join(store, flow, local, remote)
  const { table } = store
  table.setWord(flow, WORD.IDENTITY, Math.min(local, remote))
  table.setWord(flow, WORD.IDENTITY_HIGH, Math.max(local, remote))
  store.byIdentity.add(flow)
}

/**
 * A flow of `FLOW_EITHER` says the number that it has if it connected; if it was accepted, it is one less. The partner tells
 * which.
 */
function join(store: FlowStore, flow: number, local: number, remote: number): void {
  const isUnsure = store.isMarked(flow, MARK.EITHER)
  let found = look(store, flow, local, remote, false)
  if (found !== 0) {
    if (isUnsure) setRole(store, flow, ROLE_CLIENT)
    else if (store.isMarked(found, MARK.EITHER)) setRole(store, found, ROLE_CLIENT)
  } else if (store.either > 0) {
    found = look(store, flow, local, (remote + 1) >>> 0, true)
    if (found !== 0) setRoles(store, flow, found)
  }
  if (found !== 0 || !isUnsure) return
  found = look(store, flow, (local - 1) >>> 0, remote, false)
  if (found !== 0) setRoles(store, found, flow)
}

/**
 * The flow with this pair, joined. A third socket with the same pair: none of the three is, because nobody can say which two
 * belong together.
 * @param either only flows whose own number is not sure
 * @returns 0: none
 */
function look(store: FlowStore, flow: number, local: number, remote: number, either: boolean): number {
  const { table, byIdentity } = store
  const [low, high] = [Math.min(local, remote), Math.max(local, remote)]
  let found = 0
  for (let other = byIdentity.first(mix(low, high)); other !== 0; other = byIdentity.next(other)) {
    if (table.word(other, WORD.IDENTITY) !== low || table.word(other, WORD.IDENTITY_HIGH) !== high) continue
    if (either && !store.isMarked(other, MARK.EITHER)) continue
    const peer = table.word(other, WORD.PEER)
    if (peer !== 0 || found !== 0) {
      for (const one of [flow, found, other, peer]) if (one !== 0) part(store, one)
      return 0
    }
    if (canBeEnds(store, flow, other) && !store.isMarked(other, MARK.AMBIGUOUS)) found = other
  }
  if (found === 0 || store.isMarked(flow, MARK.AMBIGUOUS)) return 0
  table.setWord(flow, WORD.PEER, found)
  table.setWord(found, WORD.PEER, flow)
  return found
}

function part(store: FlowStore, flow: number): void {
  store.table.setWord(flow, WORD.PEER, 0)
  if (!store.isMarked(flow, MARK.AMBIGUOUS)) store.ambiguous++
  store.marks(flow, MARK.AMBIGUOUS)
}

/** A client and a server, or two clients that opened at the same time: two servers never, if that is sure. */
const canBeEnds = (store: FlowStore, a: number, b: number): boolean =>
  [a, b].some(
    flow => roleOf(store.table.word(flow, WORD.KIND)) !== ROLE_SERVER || store.isMarked(flow, MARK.EITHER),
  )

function setRoles(store: FlowStore, client: number, server: number): void {
  setRole(store, client, ROLE_CLIENT)
  setRole(store, server, ROLE_SERVER)
}

const setRole = ({ table }: FlowStore, flow: number, role: number): void =>
  table.setWord(flow, WORD.KIND, (table.word(flow, WORD.KIND) & ~0xff0000) | (role << 16))
