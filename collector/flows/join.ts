/**
 * Which two flows are the ends of one connection: those whose pairs of initial sequence numbers are the same. Both sockets
 * know both numbers, and every NAT and load balancer of layer 4 leaves them alone. The pair is sorted, so that
 * connections whose ends opened at the same time are found, too.
 */

import { ROLE_SERVER } from '../../wire/records.ts'
import { mix } from './table/chains.ts'
import { MARK, WORD } from './table/columns.ts'
import { type FlowStore, roleOf } from './table/store.ts'

/** @param local its own initial sequence number, and the peer's; both 0: not known yet */
export function identify(store: FlowStore, flow: number, local: number, peer: number): void {
  if ((local | peer) === 0 || store.hasIdentity(flow)) return
  const { table } = store
  const [low, high] = local < peer ? [local, peer] : [peer, local]
  if (local !== peer) join(store, flow, low, high)
  table.setWord(flow, WORD.IDENTITY, low)
  table.setWord(flow, WORD.IDENTITY_HIGH, high)
  store.byIdentity.add(flow)
}

/** A third socket with the same pair: none of the three is joined, because nobody can say which two belong together. */
function join(store: FlowStore, flow: number, low: number, high: number): void {
  const { table, byIdentity } = store
  let found = 0
  for (let other = byIdentity.first(mix(low, high)); other !== 0; other = byIdentity.next(other)) {
    if (table.word(other, WORD.IDENTITY) !== low || table.word(other, WORD.IDENTITY_HIGH) !== high) continue
    const peer = table.word(other, WORD.PEER)
    if (peer !== 0 || !canBeEnds(store, flow, other)) {
      if (peer !== 0) {
        part(store, other, peer)
        store.marks(flow, MARK.AMBIGUOUS)
      }
      continue
    }
    if (!store.isMarked(other, MARK.AMBIGUOUS)) found = other
  }
  if (found === 0 || store.isMarked(flow, MARK.AMBIGUOUS)) return
  table.setWord(flow, WORD.PEER, found)
  table.setWord(found, WORD.PEER, flow)
}

function part(store: FlowStore, a: number, b: number): void {
  for (const flow of [a, b]) {
    store.table.setWord(flow, WORD.PEER, 0)
    store.marks(flow, MARK.AMBIGUOUS)
  }
}

/** A client and a server, or two clients that opened at the same time: two servers never. */
const canBeEnds = ({ table }: FlowStore, a: number, b: number): boolean =>
  [a, b].some(flow => roleOf(table.word(flow, WORD.KIND)) !== ROLE_SERVER)
