/**
 * Which two flows of UDP are the ends of one conversation: the ports of one are those of the other, the receiver's peer is the
 * sender, and the address that was asked belongs to the receiver's network namespace. UDP has nothing that survives NAT: what
 * was asked at a virtual address stays one-sided. When two could be meant, none is.
 */

import { ROLE_SERVER } from '../../../wire/records.ts'
import { mix } from '../table/chains.ts'
import { MARK, WORD } from '../table/columns.ts'
import { type FlowStore, protocolOf, roleOf, UDP } from '../table/store.ts'
import { type Addresses, isAny, isLoopback, keyOf } from './addresses.ts'

/** In place of the second sequence number. */
const PORTS_OF_UDP = 0xffffffff

type Words = readonly [number, number, number, number]

/** A row has come of a flow that has no peer yet. */
export function identifyUdp(store: FlowStore, addresses: Addresses, flow: number): void {
  const { table } = store
  if (table.word(flow, WORD.PEER) !== 0 || store.isMarked(flow, MARK.AMBIGUOUS)) return
  const isServer = isServerOf(store, flow)
  const ports = table.word(flow, WORD.PORTS)
  const key = isServer ? swap(ports) : ports
  let found = 0
  for (
    let other = store.byIdentity.first(mix(key, PORTS_OF_UDP));
    other !== 0;
    other = store.byIdentity.next(other)
  ) {
    if (table.word(other, WORD.IDENTITY) !== key || table.word(other, WORD.IDENTITY_HIGH) !== PORTS_OF_UDP)
      continue
    if (
      other === flow ||
      protocolOf(table.word(other, WORD.KIND)) !== UDP ||
      isServerOf(store, other) === isServer
    )
      continue
    if (
      store.isClosed(other) ||
      !(isServer ? areEnds(store, addresses, other, flow) : areEnds(store, addresses, flow, other))
    )
      continue
    const peer = table.word(other, WORD.PEER)
    if (found !== 0 || peer !== 0) {
      for (const one of [flow, found, other, peer]) if (one !== 0) part(store, one)
      found = 0
      break
    }
    if (!store.isMarked(other, MARK.AMBIGUOUS)) found = other
  }
  if (!store.hasIdentity(flow)) {
    table.setWord(flow, WORD.IDENTITY, key)
    table.setWord(flow, WORD.IDENTITY_HIGH, PORTS_OF_UDP)
    store.byIdentity.add(flow)
  }
  if (found === 0 || store.isMarked(flow, MARK.AMBIGUOUS)) return
  table.setWord(flow, WORD.PEER, found)
  table.setWord(found, WORD.PEER, flow)
}

/** local << 16 | remote of the client, whichever end says it. */
const swap = (ports: number): number => ((ports << 16) | (ports >>> 16)) >>> 0

const isServerOf = ({ table }: FlowStore, flow: number): boolean =>
  roleOf(table.word(flow, WORD.KIND)) === ROLE_SERVER

function areEnds(store: FlowStore, addresses: Addresses, client: number, server: number): boolean {
  const [asked, seen] = [addressAt(store, client, WORD.REMOTE), addressAt(store, server, WORD.REMOTE)]
  return isAt(store, addresses, server, asked, client) && isAt(store, addresses, client, seen, server)
}

/** Whether this address, that the other end names, is that of the flow's own end. */
function isAt(store: FlowStore, addresses: Addresses, flow: number, named: Words, other: number): boolean {
  const { table } = store
  const [run, otherRun] = [store.runOf(flow), store.runOf(other)]
  const netns = table.word(flow, WORD.NETNS)
  const isOneNamespace = run.boot === otherRun.boot && netns === table.word(other, WORD.NETNS)
  const local = addressAt(store, flow, WORD.LOCAL)
  if (!isAny(...local) && local.some((word, at) => word !== named[at])) return false
  if (isLoopback(...named)) return isOneNamespace
  return addresses.isOf(keyOf(...named), run.boot, netns, otherRun.boot)
}

const addressAt = ({ table }: FlowStore, flow: number, at: number): Words => [
  table.word(flow, at),
  table.word(flow, at + 1),
  table.word(flow, at + 2),
  table.word(flow, at + 3),
]

function part(store: FlowStore, flow: number): void {
  store.table.setWord(flow, WORD.PEER, 0)
  if (!store.isMarked(flow, MARK.AMBIGUOUS)) store.ambiguous++
  store.marks(flow, MARK.AMBIGUOUS)
}
