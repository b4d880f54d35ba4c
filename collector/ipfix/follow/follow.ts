/**
 * When a conversation's record is sent: while it goes on and carries something, once each active period; once when it has become idle; and
 * when it has ended. Time is that of the windows' labels, so that it is the same for all hosts.
 */

import { type Conversation, carried, conversationOf, TOTAL } from '../../flows/conversation.ts'
import type { Followed, Follower } from '../../flows/follower.ts'
import { MARK, NUMBER, WORD } from '../../flows/table/columns.ts'
import type { Run } from '../../flows/table/run.ts'
import { endsOf, type FlowStore, protocolOf, UDP } from '../../flows/table/store.ts'
import { END_REASON } from '../record/record.ts'
import { TOLD, Told } from './told.ts'

/** The flows that one record covers, client and server; 0: none. */
export interface Unit {
  readonly client: number
  readonly server: number
}

/** What is to be told, and by whom it is decided. */
export interface Due extends Unit {
  readonly flows: Followed
  readonly conversation: Conversation
  readonly reason: number
  /** Label of the window, seconds since the epoch. */
  readonly time: number
  readonly told: Told
}

export interface Teller {
  /** The records of a conversation: of both ends together, or of each node's. */
  unitsOf(store: FlowStore, client: number, server: number): readonly Unit[]
  /** Known without a look at the conversation: it would not be told yet. */
  isEarly(unit: Unit, flows: Followed, time: number, told: Told): boolean
  /** @returns false: not yet, it is asked again with the next window */
  tell(due: Due, isLast: boolean): boolean
}

export interface Periods {
  /** Seconds. */
  readonly activeS: number
  readonly idleS: number
}

/** Protocols of conversations that are exported; empty: all. */
export type Protocols = readonly string[]

export const leadOf = ({ client, server }: Unit): number => client || server

export class Follow implements Follower {
  readonly #told = new Told()
  readonly #teller: Teller
  readonly #periods: Periods
  readonly #protocols: Protocols

  constructor(teller: Teller, periods: Periods, protocols: Protocols = []) {
    this.#teller = teller
    this.#periods = periods
    this.#protocols = protocols
  }

  get bytes(): number {
    return this.#told.bytes
  }

  window(flows: Followed, run: Run): void {
    const { store } = flows
    for (const flow of store.ofRun(run)) this.#touch(store, flow, run)
    for (const flow of store.ofRun(run)) {
      if (store.isMarked(flow, MARK.RECORDED)) continue
      for (const unit of this.#unitsOf(store, flow)) this.#goesOn(flows, unit, flow, run)
    }
  }

  last(flows: Followed, flow: number): void {
    const { store } = flows
    const { client, server } = endsOf(store, flow)
    const isGone = [client, server].some(end => end !== 0 && store.isMarked(end, MARK.ABANDONED))
    const isUdp = protocolOf(store.table.word(flow, WORD.KIND)) === UDP
    const run = store.runOf(flow)
    const reason = isGone ? END_REASON.forced : isUdp ? END_REASON.idle : END_REASON.end
    for (const unit of this.#teller.unitsOf(store, client, server)) {
      for (const end of [unit.client, unit.server]) if (end !== 0) this.#touch(store, end, store.runOf(end))
      const lead = leadOf(unit)
      this.#inherit(unit)
      const isSaid = isUdp && this.#told.get(lead, TOLD.IDLE) >= this.#moved(unit)
      if (!isSaid) this.#tell(flows, unit, reason, run.time, true)
    }
  }

  /** What its node alone has told of has ended; what both tell of goes on as the other end sees it. */
  leave(flows: Followed, run: Run): void {
    const { store } = flows
    for (const flow of store.ofRun(run)) {
      const { client, server } = endsOf(store, flow)
      const other = flow === client ? server : client
      if (other === 0 || store.isClosed(other) || this.#told.get(flow, TOLD.BEGAN) === 0) continue
      const reason = store.isClosed(flow) ? END_REASON.end : END_REASON.forced
      for (const unit of this.#teller.unitsOf(store, client, server))
        if (leadOf(unit) === flow && (unit.client === 0 || unit.server === 0))
          this.#tell(flows, unit, reason, run.time, true)
    }
  }

  forget(flow: number): void {
    this.#told.clear(flow)
  }

  /** Units of its conversation that this flow is part of, each with one of its flows of this run only. */
  #unitsOf(store: FlowStore, flow: number): Unit[] {
    const { client, server } = endsOf(store, flow)
    const units = this.#teller.unitsOf(store, client, server)
    return units.filter(unit => {
      if (unit.client !== flow && unit.server !== flow) return false
      const lead = leadOf(unit)
      return flow === lead || store.runOf(flow) !== store.runOf(lead) || store.isClosed(lead)
    })
  }

  #touch({ table }: FlowStore, flow: number, run: Run): void {
    const isNew = this.#told.get(flow, TOLD.BEGAN) === 0
    if (isNew) this.#told.set(flow, TOLD.BEGAN, run.time)
    const isOfWindow = table.word(flow, WORD.WINDOW) === run.window + 1
    const some =
      table.word(flow, WORD.WINDOW_SENT) +
      table.word(flow, WORD.WINDOW_RCVD) +
      table.number(flow, NUMBER.WINDOW_BYTES_SENT) +
      table.number(flow, NUMBER.WINDOW_BYTES_RCVD)
    if (isNew || (isOfWindow && some > 0)) this.#told.set(flow, TOLD.MOVED, run.time)
  }

  #moved({ client, server }: Unit): number {
    const of = (flow: number) => (flow === 0 ? 0 : this.#told.get(flow, TOLD.MOVED))
    return Math.max(of(client), of(server))
  }

  #goesOn(flows: Followed, unit: Unit, flow: number, run: Run): void {
    const lead = leadOf(unit)
    this.#inherit(unit)
    const moved = this.#moved(unit)
    const { activeS, idleS } = this.#periods
    const recorded = this.#told.get(lead, TOLD.RECORDED)
    if (run.time - moved >= idleS) {
      if (this.#told.get(lead, TOLD.IDLE) >= moved) return
      if (this.#tell(flows, unit, END_REASON.idle, run.time)) this.#keep(unit, TOLD.IDLE, moved)
      return
    }
    const since = recorded || this.#told.get(flow, TOLD.BEGAN)
    if (run.time - since >= activeS && moved > recorded) this.#tell(flows, unit, END_REASON.active, run.time)
  }

  #isWanted({ table }: FlowStore, flow: number): boolean {
    const protocol = protocolOf(table.word(flow, WORD.KIND)) === UDP ? 'udp' : 'tcp'
    return this.#protocols.length === 0 || this.#protocols.includes(protocol)
  }

  #tell(flows: Followed, unit: Unit, reason: number, time: number, isLast = false): boolean {
    const { store } = flows
    const [lead, told] = [leadOf(unit), this.#told]
    if (!this.#isWanted(store, lead)) return false
    if (!isLast && this.#teller.isEarly(unit, flows, time, told)) return false
    const conversation = conversationOf(store, lead)
    if (!this.#teller.tell({ ...unit, flows, conversation, reason, time, told }, isLast)) return false
    const { client, server } = unit
    this.#keep(unit, TOLD.RECORDED, time)
    this.#keep(unit, TOLD.END, conversation.closed ?? this.#moved(unit))
    const total = carried(store, client, server, TOTAL)
    for (const end of [client, server]) if (end !== 0) told.keep(end, TOLD.CARRIED, total)
    if (client !== 0) told.keep(client, TOLD.OWN, carried(store, client, 0, TOTAL))
    if (server !== 0) told.keep(server, TOLD.OWN, carried(store, 0, server, TOTAL))
    return true
  }

  /** At both ends. */
  #keep({ client, server }: Unit, column: number, value: number): void {
    for (const end of [client, server]) if (end !== 0) this.#told.set(end, column, value)
  }

  #inherit(unit: Unit): void {
    if (unit.client !== 0 && unit.server !== 0) this.#told.inherit(unit.client, unit.server)
  }
}
