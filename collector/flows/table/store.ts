/** The table of live flows with what leads to them: sockets, pairs of sequence numbers, runs. */

import { ROLE_CLIENT, ROLE_SERVER, ROLE_UNKNOWN } from '../../../wire/records.ts'
import { type ClusterFacts, NO_FACTS } from '../../cluster/facts.ts'
import { Subnets } from '../subnets/subnets.ts'
import { Chains, mix } from './chains.ts'
import { MARK, NUMBER, WORD } from './columns.ts'
import { Kept } from './kept.ts'
import type { Place, Program, Run } from './run.ts'
import { Runs } from './runs.ts'
import { FlowTable } from './table.ts'

export const TCP = 6
export const UDP = 17

export class FlowStore {
  readonly table: FlowTable
  readonly runs = new Runs()
  readonly places = new Kept<Place>()
  readonly programs = new Kept<Program>()
  readonly bySocket: Chains
  readonly byIdentity: Chains
  /** Flows that have closed, in that order. */
  #firstClosed = 0
  #lastClosed = 0
  /** Flows for which there was no room. */
  refused = 0
  /** Flows whose pair of sequence numbers was that of two others. */
  ambiguous = 0
  /** Live flows with FLOW_EITHER and an identity. */
  either = 0

  readonly subnets: Subnets
  readonly facts: ClusterFacts

  /**
   * @param most live flows
   * @param facts of the cluster whose pods and hosts have these flows
   */
  constructor(most: number, subnets = new Subnets(), facts = NO_FACTS) {
    this.subnets = subnets
    this.facts = facts
    this.table = new FlowTable(most)
    const { table } = this
    // a UDP socket has a conversation with each of its peers
    this.bySocket = new Chains(table, [WORD.NEXT_BY_SOCKET, WORD.PREVIOUS_BY_SOCKET], flow => {
      const socket = mix(table.word(flow, WORD.SOCKET), table.word(flow, WORD.SOCKET_HIGH))
      return protocolOf(table.word(flow, WORD.KIND)) === UDP ? mix(socket, this.#remoteHash(flow)) : socket
    })
    this.byIdentity = new Chains(table, [WORD.NEXT_BY_IDENTITY, WORD.PREVIOUS_BY_IDENTITY], flow =>
      mix(table.word(flow, WORD.IDENTITY), table.word(flow, WORD.IDENTITY_HIGH)),
    )
  }

  runOf(flow: number): Run {
    return this.runs.at(this.table.word(flow, WORD.RUN))!
  }

  isClosed(flow: number): boolean {
    return this.table.number(flow, NUMBER.CLOSED) !== 0
  }

  /** The last window of its run had a row of it: its sums of a window are of that one, or of the one that goes on. */
  isRecent(flow: number): boolean {
    return this.table.word(flow, WORD.WINDOW) > this.runOf(flow).window
  }

  marks(flow: number, marks: number): void {
    this.table.setWord(flow, WORD.MARKS, this.table.word(flow, WORD.MARKS) | marks)
  }

  isMarked(flow: number, mark: number): boolean {
    return (this.table.word(flow, WORD.MARKS) & mark) !== 0
  }

  /**
   * @param fill gives a new row what it is found by besides its socket
   * @returns 0 when there is no room
   */
  open(run: Run, socket: number, socketHigh: number, fill?: (flow: number) => void): number {
    const { table } = this
    const flow = table.take()
    if (flow === 0) {
      this.refused++
      return 0
    }
    table.setWord(flow, WORD.SOCKET, socket)
    table.setWord(flow, WORD.SOCKET_HIGH, socketHigh)
    fill?.(flow)
    this.#enlist(flow, run)
    this.bySocket.add(flow)
    return flow
  }

  #remoteHash(flow: number): number {
    const word = (at: number) => this.table.word(flow, WORD.REMOTE + at)
    return remoteHash(word(0), word(1), word(2), word(3), this.table.word(flow, WORD.PORTS))
  }

  /** Another run of the same machine's probe tells of it from now on. */
  move(flow: number, run: Run): void {
    this.#unlist(flow)
    this.#enlist(flow, run)
    this.table.setWord(flow, WORD.WINDOW, 0)
    this.setProgram(flow, 0)
    this.setPlace(flow, 0)
  }

  setPlace(flow: number, place: number): void {
    const before = this.table.word(flow, WORD.PLACE)
    if (before === place) return
    this.places.hold(place)
    this.table.setWord(flow, WORD.PLACE, place)
    const gone = this.places.release(before)
    gone?.run.places.delete(gone.id)
    if (gone) gone.run.lookup = undefined
  }

  setProgram(flow: number, program: number): void {
    const before = this.table.word(flow, WORD.PROGRAM)
    if (before === program) return
    this.programs.hold(program)
    this.table.setWord(flow, WORD.PROGRAM, program)
    const gone = this.programs.release(before)
    if (gone?.run.programs.get(gone.pid) === before) gone.run.programs.delete(gone.pid)
  }

  /** @param closedMs of its host's CLOCK_BOOTTIME */
  close(flow: number, closedMs: number): void {
    if (this.isClosed(flow)) return
    this.table.setNumber(flow, NUMBER.CLOSED, Math.max(closedMs, Number.MIN_VALUE))
    if (this.#lastClosed === 0) this.#firstClosed = flow
    else this.table.setWord(this.#lastClosed, WORD.NEXT_CLOSED, flow)
    this.#lastClosed = flow
  }

  *ofRun(run: Run): Generator<number> {
    for (let flow = run.firstFlow; flow !== 0; ) {
      const next = this.table.word(flow, WORD.NEXT_OF_RUN)
      yield flow
      flow = next
    }
  }

  /** Forgets closed flows that the caller is done with. @param isDone called once for each, oldest first */
  sweep(isDone: (flow: number) => boolean): void {
    const { table } = this
    let last = 0
    for (let flow = this.#firstClosed, next = 0; flow !== 0; flow = next) {
      next = table.word(flow, WORD.NEXT_CLOSED)
      if (!isDone(flow)) {
        last = flow
        continue
      }
      if (last === 0) this.#firstClosed = next
      else table.setWord(last, WORD.NEXT_CLOSED, next)
      if (next === 0) this.#lastClosed = last
      this.#forget(flow)
    }
  }

  #forget(flow: number): void {
    const { table } = this
    this.bySocket.remove(flow)
    if (this.hasIdentity(flow)) {
      if (this.isMarked(flow, MARK.EITHER)) this.either--
      this.byIdentity.remove(flow)
    }
    const peer = table.word(flow, WORD.PEER)
    if (peer !== 0) table.setWord(peer, WORD.PEER, 0)
    this.setPlace(flow, 0)
    this.setProgram(flow, 0)
    this.#unlist(flow)
    table.give(flow)
  }

  hasIdentity(flow: number): boolean {
    return (this.table.word(flow, WORD.IDENTITY) | this.table.word(flow, WORD.IDENTITY_HIGH)) !== 0
  }

  #enlist(flow: number, run: Run): void {
    const { table } = this
    table.setWord(flow, WORD.RUN, run.number)
    table.setWord(flow, WORD.NEXT_OF_RUN, run.firstFlow)
    if (run.firstFlow !== 0) table.setWord(run.firstFlow, WORD.PREVIOUS_OF_RUN, flow)
    run.firstFlow = flow
    run.flows++
  }

  #unlist(flow: number): void {
    const { table } = this
    const run = this.runOf(flow)
    const [next, before] = [table.word(flow, WORD.NEXT_OF_RUN), table.word(flow, WORD.PREVIOUS_OF_RUN)]
    if (before === 0) run.firstFlow = next
    else table.setWord(before, WORD.NEXT_OF_RUN, next)
    if (next !== 0) table.setWord(next, WORD.PREVIOUS_OF_RUN, before)
    table.setWord(flow, WORD.NEXT_OF_RUN, 0)
    table.setWord(flow, WORD.PREVIOUS_OF_RUN, 0)
    run.flows--
  }
}

/** Of a peer's address and port, and one's own. */
export const remoteHash = (a: number, b: number, c: number, d: number, ports: number): number =>
  mix(mix(mix(a, b), mix(c, d)), ports)

/** Bits of KIND. */
export const kindOf = (protocol: number, family: number, role: number, state: number): number =>
  (protocol | (family << 8) | (role << 16) | (state << 24)) >>> 0
export const protocolOf = (kind: number): number => kind & 0xff
export const familyOf = (kind: number): number => (kind >>> 8) & 0xff
export const roleOf = (kind: number): number => (kind >>> 16) & 0xff
export const stateOf = (kind: number): number => kind >>> 24

/** The two flows of a conversation, client first; 0 where an end is unknown. */
export function endsOf({ table }: FlowStore, flow: number): { client: number; server: number } {
  const peer = table.word(flow, WORD.PEER)
  const role = roleOf(table.word(flow, WORD.KIND))
  if (role === ROLE_SERVER) return { client: peer, server: flow }
  if (peer === 0 || role !== roleOf(table.word(peer, WORD.KIND))) {
    const isServer =
      peer !== 0 && role === ROLE_UNKNOWN && roleOf(table.word(peer, WORD.KIND)) === ROLE_CLIENT
    return isServer ? { client: peer, server: flow } : { client: flow, server: peer }
  }
  // of two that connected to each other the one that is in the table first
  return peer < flow ? { client: peer, server: flow } : { client: flow, server: peer }
}

/** Each conversation once. */
export function eachConversation(store: FlowStore, visit: (client: number, server: number) => void): void {
  const { table } = store
  for (let flow = 1; flow < table.used; flow++) {
    if (table.word(flow, WORD.RUN) === 0) continue
    const { client, server } = endsOf(store, flow)
    if (flow === (client || server)) visit(client, server)
  }
}
