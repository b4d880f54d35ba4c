/** Rows of `tcp_flow`, `tcp_update` and `udp_flow` into flows. */

import { tableOf, u64 } from '../../wire/count/table.ts'
import { type Layout, viewOf } from '../../wire/layout.ts'
import { FLOW_HANDED, FLOW_PREDATES, TCP_FLOW, TCP_UPDATE, UDP_FLOW } from '../../wire/records.ts'
import type { Into } from './into.ts'
import { identify } from './join/tcp.ts'
import { identifyUdp } from './join/udp.ts'
import { MARK, NUMBER, WORD } from './table/columns.ts'
import { type FlowStore, familyOf, kindOf, protocolOf, remoteHash, roleOf, TCP, UDP } from './table/store.ts'

/** Takes the rows of a message. */
export type RowReader = (rows: Buffer, into: Into) => void

/** Rows of other records are of no flow. */
export const READERS: ReadonlyMap<string, (layout: Layout) => RowReader> = new Map([
  ['tcp_flow', tcpFlow],
  ['tcp_update', tcpUpdate],
  ['udp_flow', udpFlow],
])

const REQUIRED = ['socket', 'cgroup', 'hierarchy'] as const
export function tcpFlow(layout: Layout): RowReader {
  const columns = tableOf(layout, TCP_FLOW, REQUIRED)
  const { at, size } = columns
  return (incoming, into) => {
    const { store } = into
    const { table } = store
    const rows = columns.rows(incoming)
    const view = viewOf(rows)
    for (let row = 0; row < rows.length; row += size) {
      const openedMs = u64(view, row + at.opened_ns) / 1e6
      const socket = view.getUint32(row + at.socket, true)
      const flow = into.flow(socket, view.getUint32(row + at.socket + 4, true), openedMs)
      if (flow === 0) continue
      into.begin(flow)
      const flags = view.getUint8(row + at.flags)
      const isNew = (table.word(flow, WORD.MARKS) & MARK.ADDRESSED) === 0
      if (isNew) {
        readAddresses(store, flow, view, row, at)
        table.setNumber(flow, NUMBER.OPENED, openedMs)
        if ((flags & FLOW_PREDATES) !== 0) store.marks(flow, MARK.PARTIAL)
      }
      readState(store, flow, view, row, at, view.getUint8(row + at.family))
      const established = u64(view, row + at.established_ns) / 1e6
      if (established > openedMs && (flags & FLOW_PREDATES) === 0)
        table.setWord(flow, WORD.CONNECT, (established - openedMs) * 1000)
      table.setWord(flow, WORD.RTT_MIN, view.getUint32(row + at.rtt_min_us, true))
      table.setWord(flow, WORD.RTT_SAMPLES, view.getUint32(row + at.rtt_samples, true))
      into.flags(flow, flags)
      into.count(flow, view, row, at, rows)
      into.packets(flow, view.getUint32(row + at.segs_sent, true), view.getUint32(row + at.segs_rcvd, true))
      if (isNew) into.learn(flow)
      identify(
        store,
        flow,
        flags,
        view.getUint32(row + at.isn_local, true),
        view.getUint32(row + at.isn_remote, true),
      )
      const closedNs = u64(view, row + at.closed_ns)
      if (closedNs !== 0 && (flags & FLOW_HANDED) === 0) store.close(flow, closedNs / 1e6)
    }
  }
}

export function tcpUpdate(layout: Layout): RowReader {
  const columns = tableOf(layout, TCP_UPDATE, REQUIRED)
  const { at, size } = columns
  return (incoming, into) => {
    const { store } = into
    const rows = columns.rows(incoming)
    const view = viewOf(rows)
    for (let row = 0; row < rows.length; row += size) {
      const flow = into.flow(view.getUint32(row + at.socket, true), view.getUint32(row + at.socket + 4, true))
      if (flow === 0) continue
      into.begin(flow)
      // its whole row came before the collector did: the last one will have its addresses
      if (!store.isMarked(flow, MARK.ADDRESSED)) store.marks(flow, MARK.PARTIAL)
      readState(store, flow, view, row, at, 0)
      into.flags(flow, view.getUint8(row + at.flags))
      into.count(flow, view, row, at, rows)
      into.packets(flow, view.getUint32(row + at.segs_sent, true), view.getUint32(row + at.segs_rcvd, true))
    }
  }
}

export function udpFlow(layout: Layout): RowReader {
  const columns = tableOf(layout, UDP_FLOW, REQUIRED)
  const { at, size } = columns
  return (incoming, into) => {
    const { store } = into
    const { table } = store
    const rows = columns.rows(incoming)
    const view = viewOf(rows)
    for (let row = 0; row < rows.length; row += size) {
      const word = (offset: number) => view.getUint32(row + offset, true)
      const ports =
        ((view.getUint16(row + at.local_port, true) << 16) | view.getUint16(row + at.remote_port, true)) >>> 0
      const remote = [
        word(at.remote),
        word(at.remote + 4),
        word(at.remote + 8),
        word(at.remote + 12),
      ] as const
      const isMeant = (flow: number) =>
        protocolOf(table.word(flow, WORD.KIND)) === UDP &&
        table.word(flow, WORD.PORTS) === ports &&
        remote.every((value, at) => table.word(flow, WORD.REMOTE + at) === value)
      const role = view.getUint8(row + at.role)
      const fill = (flow: number) => {
        readAddresses(store, flow, view, row, at)
        table.setWord(flow, WORD.KIND, kindOf(UDP, view.getUint8(row + at.family), role, 0))
        const reported = u64(view, row + at.reported_ns)
        table.setNumber(flow, NUMBER.OPENED, (reported || u64(view, row + at.opened_ns)) / 1e6)
        if (reported !== 0) store.marks(flow, MARK.PARTIAL)
        if ((ports & 0xffff) === 0) store.marks(flow, MARK.UNNAMED | MARK.ADDRESSED)
      }
      const known = into.conversation(
        word(at.socket),
        word(at.socket + 4),
        remoteHash(...remote, ports),
        isMeant,
        fill,
      )
      if (known === 0) continue
      into.begin(known)
      into.flags(known, view.getUint8(row + at.flags))
      into.count(known, view, row, at, rows)
      into.packets(known, word(at.packets_sent), word(at.packets_rcvd))
      into.learn(known)
      if ((ports & 0xffff) !== 0) identifyUdp(store, into.addresses, known)
      const closedNs = u64(view, row + at.closed_ns)
      if (closedNs !== 0) store.close(known, closedNs / 1e6)
    }
  }
}

interface AddressColumns {
  readonly local: number
  readonly remote: number
  readonly local_port: number
  readonly remote_port: number
}

function readAddresses(
  store: FlowStore,
  flow: number,
  view: DataView,
  row: number,
  at: AddressColumns,
): void {
  const { table } = store
  for (let word = 0; word < 4; word++) {
    table.setWord(flow, WORD.LOCAL + word, view.getUint32(row + at.local + 4 * word, true))
    table.setWord(flow, WORD.REMOTE + word, view.getUint32(row + at.remote + 4 * word, true))
  }
  const local = view.getUint16(row + at.local_port, true)
  const remote = view.getUint16(row + at.remote_port, true)
  table.setWord(flow, WORD.PORTS, ((local << 16) | remote) >>> 0)
  // a row without the peer's port was written before connect(2) had set it
  if (remote !== 0) store.marks(flow, MARK.ADDRESSED)
}

interface StateColumns {
  readonly role: number
  readonly state: number
  readonly rtt_us: number
  readonly rtt_var_us: number
  readonly segs_resent: number
  readonly lost_segments: number
}

/** @param family 0: as before */
function readState(
  store: FlowStore,
  flow: number,
  view: DataView,
  row: number,
  at: StateColumns,
  family: number,
): void {
  const { table } = store
  const kind = table.word(flow, WORD.KIND)
  // the partner has told it
  const isSettled = store.isMarked(flow, MARK.EITHER) && table.word(flow, WORD.PEER) !== 0
  table.setWord(
    flow,
    WORD.KIND,
    kindOf(
      TCP,
      family || familyOf(kind),
      isSettled ? roleOf(kind) : view.getUint8(row + at.role),
      view.getUint8(row + at.state),
    ),
  )
  table.setWord(flow, WORD.RTT, view.getUint32(row + at.rtt_us, true))
  table.setWord(flow, WORD.RTT_VAR, view.getUint32(row + at.rtt_var_us, true))
  table.setWord(flow, WORD.LOST, view.getUint32(row + at.lost_segments, true))
  const resent = view.getUint32(row + at.segs_resent, true)
  if (resent === 0) return
  table.setWord(flow, WORD.RESENT, table.word(flow, WORD.RESENT) + resent)
  table.setWord(flow, WORD.WINDOW_RESENT, table.word(flow, WORD.WINDOW_RESENT) + resent)
}
