/** Where the rows of a message go: the flow of a socket, its owner, what it carried in the window. */

import { layoutOf } from '../../wire/columns.ts'
import { textOf } from '../../wire/layout.ts'
import type { Names } from '../../wire/message.ts'
import { Containers } from '../fold/owners.ts'
import { type Addresses, isAny, isLoopback, keyOf } from './join/addresses.ts'
import { mix } from './table/chains.ts'
import { MARK, NUMBER, WORD } from './table/columns.ts'
import type { Run } from './table/run.ts'
import type { FlowStore } from './table/store.ts'

const readComm = textOf(layoutOf('comm', { comm: 16 }), 'comm')

/** Offsets of the columns that the records of sockets have in common. */
export interface SocketColumns {
  readonly socket: number
  readonly cgroup: number
  readonly hierarchy: number
  readonly netns: number
  readonly pid: number
  readonly comm: number
  readonly bytes_sent: number
  readonly bytes_rcvd: number
}

export class Into {
  readonly store: FlowStore
  readonly run: Run
  /** Index of the window. */
  readonly window: number
  readonly #names: Names

  readonly addresses: Addresses

  constructor(store: FlowStore, addresses: Addresses, run: Run, window: number, names: Names) {
    this.store = store
    this.addresses = addresses
    this.run = run
    this.window = window
    this.#names = names
    const isKnown = run.lastNames?.cgroups === names.cgroups && run.lastNames.netns === names.netns
    if (!isKnown) run.lookup = undefined
    run.lastNames = { cgroups: names.cgroups, netns: names.netns }
  }

  /**
   * The flow of a socket; a new one if there is none.
   * @param openedMs of a row that says it: a closed flow that opened at another time is not meant. A socket can connect again
   * @returns 0: there is no room, or another probe of the same machine tells of it
   */
  flow(socket: number, socketHigh: number, openedMs?: number): number {
    const flow = this.find(
      socket,
      socketHigh,
      flow =>
        openedMs === undefined || Math.abs(this.store.table.number(flow, NUMBER.OPENED) - openedMs) < 1e-3,
    )
    if (flow === 0) return this.store.open(this.run, socket, socketHigh)
    return this.#isOurs(flow) ? flow : 0
  }

  /**
   * The conversation of a UDP socket with one peer.
   * @param fill gives a new row addresses and kind
   * @param isMeant whether a flow with the socket is with this peer
   */
  conversation(
    socket: number,
    socketHigh: number,
    remote: number,
    isMeant: (flow: number) => boolean,
    fill: (flow: number) => void,
  ): number {
    const { table, bySocket } = this.store
    const hash = mix(mix(socket, socketHigh), remote)
    for (let flow = bySocket.first(hash); flow !== 0; flow = bySocket.next(flow)) {
      if (table.word(flow, WORD.SOCKET) !== socket || table.word(flow, WORD.SOCKET_HIGH) !== socketHigh)
        continue
      if (this.store.runOf(flow).boot !== this.run.boot || this.store.isClosed(flow) || !isMeant(flow))
        continue
      return this.#isOurs(flow) ? flow : 0
    }
    return this.store.open(this.run, socket, socketHigh, fill)
  }

  /** One that is open goes before one that has closed. */
  find(socket: number, socketHigh: number, isMeant: (closed: number) => boolean): number {
    const { table, bySocket } = this.store
    let closed = 0
    for (let flow = bySocket.first(mix(socket, socketHigh)); flow !== 0; flow = bySocket.next(flow)) {
      if (table.word(flow, WORD.SOCKET) !== socket || table.word(flow, WORD.SOCKET_HIGH) !== socketHigh)
        continue
      if (this.store.runOf(flow).boot !== this.run.boot) continue
      if (!this.store.isClosed(flow)) return flow
      if (closed === 0 && isMeant(flow)) closed = flow
    }
    return closed
  }

  /** A probe that was started again tells of the sockets of the run before. Of two at a time, the first one does. */
  #isOurs(flow: number): boolean {
    const run = this.store.runOf(flow)
    if (run === this.run) return true
    if (run.last >= this.run.first) return false
    this.store.move(flow, this.run)
    return true
  }

  /** The owner of the row, and what it carried since the last one. */
  count(flow: number, view: DataView, row: number, at: SocketColumns, rows: Buffer): void {
    const { table } = this.store
    this.store.setPlace(flow, this.#lookup().of(view, row, at) ?? 0)
    table.setWord(flow, WORD.NETNS, view.getUint32(row + at.netns, true))
    this.#own(flow, view.getUint32(row + at.pid, true), rows, row + at.comm)
    this.#add(flow, NUMBER.BYTES_SENT, NUMBER.WINDOW_BYTES_SENT, view, row + at.bytes_sent)
    this.#add(flow, NUMBER.BYTES_RCVD, NUMBER.WINDOW_BYTES_RCVD, view, row + at.bytes_rcvd)
  }

  /** Its own address belongs to its namespace. */
  learn(flow: number): void {
    const { table } = this.store
    const word = (at: number) => table.word(flow, WORD.LOCAL + at)
    const words = [word(0), word(1), word(2), word(3)] as const
    if (isAny(...words) || isLoopback(...words)) return
    this.addresses.learn(keyOf(...words), this.run.boot, table.word(flow, WORD.NETNS))
  }

  packets(flow: number, sent: number, rcvd: number): void {
    const { table } = this.store
    if ((sent | rcvd) === 0) return
    table.setNumber(flow, NUMBER.PACKETS_SENT, table.number(flow, NUMBER.PACKETS_SENT) + sent)
    table.setNumber(flow, NUMBER.PACKETS_RCVD, table.number(flow, NUMBER.PACKETS_RCVD) + rcvd)
    table.setWord(flow, WORD.WINDOW_SENT, table.word(flow, WORD.WINDOW_SENT) + sent)
    table.setWord(flow, WORD.WINDOW_RCVD, table.word(flow, WORD.WINDOW_RCVD) + rcvd)
  }

  flags(flow: number, flags: number): void {
    const { table } = this.store
    table.setWord(flow, WORD.MARKS, (table.word(flow, WORD.MARKS) & ~MARK.FLOW_FLAGS) | flags)
  }

  /** Its first row of this window. What comes late of an earlier one counts in the present one. */
  begin(flow: number): void {
    const { table } = this.store
    if (table.word(flow, WORD.WINDOW) > this.window) return
    table.setWord(flow, WORD.WINDOW, this.window + 1)
    table.setNumber(flow, NUMBER.WINDOW_BYTES_SENT, 0)
    table.setNumber(flow, NUMBER.WINDOW_BYTES_RCVD, 0)
    table.setWord(flow, WORD.WINDOW_SENT, 0)
    table.setWord(flow, WORD.WINDOW_RCVD, 0)
    table.setWord(flow, WORD.WINDOW_RESENT, 0)
  }

  #add(flow: number, total: number, inWindow: number, view: DataView, at: number): void {
    const bytes = view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true)
    if (bytes === 0) return
    const { table } = this.store
    table.setNumber(flow, total, table.number(flow, total) + bytes)
    table.setNumber(flow, inWindow, table.number(flow, inWindow) + bytes)
  }

  #own(flow: number, pid: number, rows: Buffer, comm: number): void {
    const { table, programs } = this.store
    if (table.word(flow, WORD.PID) === pid && table.word(flow, WORD.PROGRAM) !== 0) return
    table.setWord(flow, WORD.PID, pid)
    let program = this.run.programs.get(pid)
    if (program === undefined) {
      program = programs.add({ run: this.run, pid, comm: readComm(rows, comm), name: undefined })
      this.run.programs.set(pid, program)
    }
    this.store.setProgram(flow, program)
  }

  /** It is made anew when a container has no flow any more: its number may be another's then. */
  #lookup(): Containers<number> {
    const { run } = this
    run.lookup ??= new Containers(this.#names, id => this.#place(id, this.#names), 0)
    return run.lookup
  }

  #place(id: string, names: Names): number {
    const { run, store } = this
    let place = run.places.get(id)
    if (place === undefined) {
      const name = names.containers[id] ?? { runtime: 'unknown' }
      place = store.places.add({
        run,
        id,
        name,
        pod: name.pod === undefined ? undefined : names.pods[name.pod],
      })
      run.places.set(id, place)
    }
    return place
  }
}
