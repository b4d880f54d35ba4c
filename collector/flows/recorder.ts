/** Makes the records of conversations: one when it ends, and one a minute while it goes on and carries something. */

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
    if (table.word(flow, WORD.PEER) !== 0) table.setWord(table.word(flow, WORD.PEER), WORD.PEER, 0)
  }

  /** A window of its host has ended. */
  active(run: Run): void {
    const { table } = this.#store
    for (const flow of this.#store.ofRun(run)) {
      if (table.number(flow, NUMBER.CLOSED) !== 0) continue
      if (this.#isSilent(flow, run)) continue
      const recorded = table.word(flow, WORD.RECORDED)
      if (recorded === 0) table.setWord(flow, WORD.RECORDED, run.time)
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
    const { table } = this.#store
    const { total } = conversation
    table.setNumber(flow, NUMBER.RECORDED_BYTES, total.bytes)
    table.setNumber(flow, NUMBER.RECORDED_REV_BYTES, total.revBytes)
    table.setWord(flow, WORD.RECORDED_PACKETS, total.packets)
    table.setWord(flow, WORD.RECORDED_REV_PACKETS, total.revPackets)
  }

  /** The lead of a conversation changes when its client is found: what the server had recorded is not known there, then it is 0. */
  #since(flow: number, client: number, server: number): Carried {
    const { table } = this.#store
    const total = carried(this.#store, client, server, TOTAL)
    const packets = (now: number, at: number) => Math.max(0, now - table.word(flow, at))
    return {
      bytes: Math.max(0, total.bytes - table.number(flow, NUMBER.RECORDED_BYTES)),
      packets: packets(total.packets, WORD.RECORDED_PACKETS),
      revBytes: Math.max(0, total.revBytes - table.number(flow, NUMBER.RECORDED_REV_BYTES)),
      revPackets: packets(total.revPackets, WORD.RECORDED_REV_PACKETS),
    }
  }
}
