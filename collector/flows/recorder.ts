/**
 * Makes the records of conversations: one when it ends, one a minute while it goes on and carries something, and one when its
 * probe is gone or the collector stops.
 */

import { type Carried, carried, conversationOf, TOTAL } from './conversation.ts'
import type { FlowRecord } from './record.ts'
import { MARK, NUMBER, WORD } from './table/columns.ts'
import type { Run } from './table/run.ts'
import { endsOf, type FlowStore, protocolOf, UDP } from './table/store.ts'

/** Seconds between the records of a conversation that goes on. */
export const ACTIVE_S = 60
/** A UDP conversation without a datagram for so long has ended. */
export const UDP_IDLE_S = 60

export class Recorder {
  readonly #store: FlowStore
  readonly #records: FlowRecord[] = []

  constructor(store: FlowStore) {
    this.#store = store
  }

  /** What has been recorded since this was called last. */
  take(): FlowRecord[] {
    return this.#records.splice(0)
  }

  /** A flow that is forgotten next. With the other end still there, the conversation has ended for both. */
  last(flow: number): void {
    const { table } = this.#store
    if (this.#store.isMarked(flow, MARK.RECORDED)) return
    const { client, server } = endsOf(this.#store, flow)
    for (const end of [client, server]) if (end !== 0) this.#store.marks(end, MARK.RECORDED)
    const isGone = [client, server].some(end => end !== 0 && this.#store.isMarked(end, MARK.ABANDONED))
    this.#add(client || server, isGone ? 'gone' : 'end')
    // it is in the table until it closes as well, but its conversation has its record
    const peer = table.word(flow, WORD.PEER)
    if (peer !== 0) this.#part(flow, peer)
  }

  /**
   * The probe of a run is gone, and its flows are forgotten next. An other end that lives leads from now on.
   * @param last called with each flow whose conversation has ended, in place of `last`, which it calls
   */
  gone(run: Run, last: (flow: number) => void): void {
    const { table } = this.#store
    for (const flow of this.#store.ofRun(run)) {
      if (hasEnded(this.#store, flow)) continue
      this.#store.marks(flow, MARK.ABANDONED)
      this.#store.close(flow, table.number(flow, NUMBER.OPENED))
    }
    for (const flow of this.#store.ofRun(run)) {
      const peer = table.word(flow, WORD.PEER)
      if (peer !== 0 && !this.#store.isClosed(peer)) this.#handOver(flow, peer)
      else if (this.#isKnown(flow) || (peer !== 0 && this.#isKnown(peer))) last(flow)
    }
  }

  /** A window with it has ended; of another one nothing counts yet. */
  #isKnown(flow: number): boolean {
    return this.#store.table.word(flow, WORD.RECORDED) !== 0 || hasEnded(this.#store, flow)
  }

  #handOver(flow: number, peer: number): void {
    const { table } = this.#store
    const { client, server } = endsOf(this.#store, flow)
    if (!this.#isKnown(flow)) {
      for (const end of [flow, peer]) table.setWord(end, WORD.PEER, 0)
      return
    }
    if (flow === (client || server)) this.#add(flow, 'gone')
    else this.#goesOn(peer, client, server)
    this.#part(flow, peer)
  }

  /** What the other end has carried so far is in the record of both; what is on its way to it as well. */
  #part(flow: number, peer: number): void {
    const { table } = this.#store
    const both = endsOf(this.#store, flow)
    const recorded = this.#recorded(both.client || both.server)
    for (const end of [flow, peer]) table.setWord(end, WORD.PEER, 0)
    const { client, server } = endsOf(this.#store, peer)
    const alone = carried(this.#store, client, server, TOTAL)
    this.#setRecorded(peer, {
      bytes: Math.max(recorded.bytes, alone.bytes),
      packets: Math.max(recorded.packets, alone.packets),
      revBytes: Math.max(recorded.revBytes, alone.revBytes),
      revPackets: Math.max(recorded.revPackets, alone.revPackets),
    })
  }

  /** The collector stops. Ends that nobody has seen are left to the next one. @param last as for `gone` */
  rest(run: Run, last: (flow: number) => void): void {
    for (const flow of this.#store.ofRun(run)) {
      const { client, server } = endsOf(this.#store, flow)
      if (flow !== (client || server)) continue
      if (hasEnded(this.#store, flow)) last(flow)
      else this.#goesOn(flow, client, server)
    }
  }

  /** A window of its host has ended. */
  active(run: Run): void {
    const { table } = this.#store
    for (const flow of this.#store.ofRun(run)) {
      if (table.number(flow, NUMBER.CLOSED) !== 0) continue
      if (this.#isSilent(flow, run)) continue
      const recorded = table.word(flow, WORD.RECORDED)
      // it is later than now when the clock was set back
      if (recorded === 0 || run.time < recorded) table.setWord(flow, WORD.RECORDED, run.time)
      if (recorded === 0 || run.time - recorded < ACTIVE_S) continue
      const { client, server } = endsOf(this.#store, flow)
      if (flow === (client || server)) this.#goesOn(flow, client, server)
      table.setWord(flow, WORD.RECORDED, run.time)
    }
  }

  /** A UDP conversation ends with its last datagram; nobody says which one that was. */
  #isSilent(flow: number, run: Run): boolean {
    const { table } = this.#store
    if (protocolOf(table.word(flow, WORD.KIND)) !== UDP) return false
    const silentS = (run.window + 1 - table.word(flow, WORD.WINDOW)) * run.interval
    if (silentS < UDP_IDLE_S) return false
    const last = (run.time - silentS) * 1000 - (run.offsetMs ?? 0)
    this.#store.close(flow, Math.max(last, table.number(flow, NUMBER.OPENED)))
    return true
  }

  #goesOn(flow: number, client: number, server: number): void {
    const { bytes, packets, revBytes, revPackets } = this.#since(flow, client, server)
    if (bytes + packets + revBytes + revPackets > 0) this.#add(flow, 'active')
  }

  #add(flow: number, reason: FlowRecord['reason']): void {
    const { client, server } = endsOf(this.#store, flow)
    const since = this.#since(flow, client, server)
    const conversation = conversationOf(this.#store, flow)
    this.#records.push({ conversation, reason, since })
    this.#setRecorded(flow, conversation.total)
  }

  #setRecorded(flow: number, total: Carried): void {
    const { table } = this.#store
    table.setNumber(flow, NUMBER.RECORDED_BYTES, total.bytes)
    table.setNumber(flow, NUMBER.RECORDED_REV_BYTES, total.revBytes)
    table.setWord(flow, WORD.RECORDED_PACKETS, total.packets)
    table.setWord(flow, WORD.RECORDED_REV_PACKETS, total.revPackets)
  }

  /** The lead of a conversation changes when its client is found: what the server had recorded is not known there, then it is 0. */
  #since(flow: number, client: number, server: number): Carried {
    const total = carried(this.#store, client, server, TOTAL)
    const recorded = this.#recorded(flow)
    return {
      bytes: Math.max(0, total.bytes - recorded.bytes),
      packets: Math.max(0, total.packets - recorded.packets),
      revBytes: Math.max(0, total.revBytes - recorded.revBytes),
      revPackets: Math.max(0, total.revPackets - recorded.revPackets),
    }
  }

  #recorded(flow: number): Carried {
    const { table } = this.#store
    return {
      bytes: table.number(flow, NUMBER.RECORDED_BYTES),
      packets: table.word(flow, WORD.RECORDED_PACKETS),
      revBytes: table.number(flow, NUMBER.RECORDED_REV_BYTES),
      revPackets: table.word(flow, WORD.RECORDED_REV_PACKETS),
    }
  }
}

/** Its last row has come, and the end of that window. */
const hasEnded = ({ table }: FlowStore, flow: number): boolean => table.word(flow, WORD.ENDED_SEEN) !== 0
