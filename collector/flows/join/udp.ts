/**
 * Which two flows of UDP are the ends of one conversation: the ports of one are those of the other, the receiver's peer is the
 * sender, and the address that was asked belongs to the receiver's network namespace. UDP has nothing that survives NAT: what
 * was asked at a virtual address stays one-sided. When two could be meant, none is.
 */

import { ROLE_SERVER } from '../../../wire/records.ts'
import { mix } from '../table/chains.ts'
import { MARK, WORD } from '../table/columns.ts'
import { type FlowStore, protocolOf, remoteHash, roleOf, UDP } from '../table/store.ts'
import {
  type Addresses,
  isAny,
  isLoopback,
  keyOf,
  LOOPBACKS,
  type Namespace,
  type Words,
} from './addresses.ts'

/** In place of the second sequence number; in place of the first is a hash of what one end alone knows: `identityOf`. */
const OF_UDP = 0xffffffff
/** Flows that are looked at for one row: with more that are alike nobody can say which one is meant. */
const MAX_ALIKE = 64

/** A row has come of a flow that has no peer yet. */
export function identifyUdp(store: FlowStore, addresses: Addresses, flow: number): void {
  const { table } = store
  if (table.word(flow, WORD.PEER) !== 0 || store.isMarked(flow, MARK.AMBIGUOUS)) return
  if (!store.hasIdentity(flow)) {
    const remote = addressAt(store, flow, WORD.REMOTE)
    const identity = identityOf(
      isServerOf(store, flow),
      namespaceOf(store, flow),
      remote,
      table.word(flow, WORD.PORTS),
    )
    table.setWord(flow, WORD.IDENTITY, identity)
    table.setWord(flow, WORD.IDENTITY_HIGH, OF_UDP)
    store.byIdentity.add(flow)
  }
  const found = look(store, addresses, flow)
  if (found === 0) return
  table.setWord(flow, WORD.PEER, found)
  table.setWord(found, WORD.PEER, flow)
}

/** Of the flows of one namespace with one peer and one pair of ports. */
const identityOf = (isServer: boolean, { boot, netns }: Namespace, remote: Words, ports: number): number =>
  mix(remoteHash(...remote, ports), mix(mix(boot, netns), isServer ? 1 : 0))

/**
 * The other end: it is in the namespace that has this flow's peer, and its own peer is an address of this flow.
 * @returns 0: none, or several that are parted
 */
function look(store: FlowStore, addresses: Addresses, flow: number): number {
  const { table, byIdentity } = store
  const [isServer, ports] = [isServerOf(store, flow), swap(table.word(flow, WORD.PORTS))]
  const far = farOf(store, addresses, flow)
  if (!far) return 0
  let found = 0
  for (const own of ownOf(store, addresses, flow, far)) {
    const identity = identityOf(!isServer, far, own, ports)
    let alike = 0
    for (let other = byIdentity.first(mix(identity, OF_UDP)); other !== 0; other = byIdentity.next(other)) {
      if (++alike > MAX_ALIKE) {
        part(store, flow)
        return 0
      }
      if (table.word(other, WORD.IDENTITY) !== identity || !isEnd(store, addresses, flow, other, own))
        continue
      const peer = table.word(other, WORD.PEER)
      if (found !== 0 || peer !== 0) {
        for (const one of [flow, found, other, peer]) if (one !== 0) part(store, one)
        return 0
      }
      if (!store.isMarked(other, MARK.AMBIGUOUS)) found = other
    }
  }
  return found
}

/** Whether this flow, which has the right identity, is the other end. */
function isEnd(store: FlowStore, addresses: Addresses, flow: number, other: number, own: Words): boolean {
  const { table } = store
  if (table.word(other, WORD.IDENTITY_HIGH) !== OF_UDP || protocolOf(table.word(other, WORD.KIND)) !== UDP)
    return false
  const [isServer, ports] = [isServerOf(store, flow), table.word(other, WORD.PORTS)]
  if (isServerOf(store, other) === isServer || ports !== swap(table.word(flow, WORD.PORTS))) return false
  if (store.isClosed(other) || own.some((word, at) => word !== table.word(other, WORD.REMOTE + at)))
    return false
  return isServer ? areEnds(store, addresses, other, flow) : areEnds(store, addresses, flow, other)
}

/** The namespace of its peer. */
function farOf(store: FlowStore, addresses: Addresses, flow: number): Namespace | undefined {
  const [near, remote] = [namespaceOf(store, flow), addressAt(store, flow, WORD.REMOTE)]
  return isLoopback(...remote) ? near : addresses.ownerOf(keyOf(...remote), near.boot)
}

/** Addresses that the other end may have it by: a socket that is bound to none has all of its namespace. */
function ownOf(store: FlowStore, addresses: Addresses, flow: number, far: Namespace): readonly Words[] {
  const local = addressAt(store, flow, WORD.LOCAL)
  if (!isAny(...local)) return [local]
  const near = namespaceOf(store, flow)
  const own = addresses.ownOf(near)
  if (near.boot !== far.boot || near.netns !== far.netns) return own
  const remote = addressAt(store, flow, WORD.REMOTE)
  const isOther = isLoopback(...remote) && LOOPBACKS.every(one => one.some((word, at) => word !== remote[at]))
  return [...own, ...LOOPBACKS, ...(isOther ? [remote] : [])]
}

const namespaceOf = (store: FlowStore, flow: number): Namespace => ({
  boot: store.runOf(flow).boot,
  netns: store.table.word(flow, WORD.NETNS),
})

/** Ports as the other end has them. */
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
  return addresses.isOf(keyOf(...named), { boot: run.boot, netns }, otherRun.boot)
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
