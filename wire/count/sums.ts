// Generated from the BTF of probe.bpf.o by probe/bpf/generate.ts: change the C headers instead.

import { u64 } from './table.ts'

/** For records without fields of the kind: their callers need no change when one is added. */
type AddNothing = (sums: Sums, view: DataView, row: number, at: object) => void

/** Sums of the fields of records. */
export class Sums {
  packetsSent = 0
  packetsRcvd = 0
  retransmits = 0
  bytesSent = 0
  bytesRcvd = 0
  lostSegments = 0
  udpDropped = 0
  resetsSent = 0
  resetsRcvd = 0

  add(other: Sums): void {
    this.packetsSent += other.packetsSent
    this.packetsRcvd += other.packetsRcvd
    this.retransmits += other.retransmits
    this.bytesSent += other.bytesSent
    this.bytesRcvd += other.bytesRcvd
    this.lostSegments += other.lostSegments
    this.udpDropped += other.udpDropped
    this.resetsSent += other.resetsSent
    this.resetsRcvd += other.resetsRcvd
  }
}

/** Sums of flows: the column in `flow_total`, and the sum. */
export const FLOW_SUMS = {
  packets_sent: 'packetsSent',
  packets_rcvd: 'packetsRcvd',
  retransmits: 'retransmits',
  bytes_sent: 'bytesSent',
  bytes_rcvd: 'bytesRcvd',
  lost_segments: 'lostSegments',
  udp_dropped: 'udpDropped',
} as const

interface TcpFlowDeltas {
  readonly segs_sent: number
  readonly segs_rcvd: number
  readonly segs_resent: number
  readonly bytes_sent: number
  readonly bytes_rcvd: number
}

export function addTcpFlowDeltas(sums: Sums, view: DataView, row: number, at: TcpFlowDeltas): void {
  sums.packetsSent += view.getUint32(row + at.segs_sent, true)
  sums.packetsRcvd += view.getUint32(row + at.segs_rcvd, true)
  sums.retransmits += view.getUint32(row + at.segs_resent, true)
  sums.bytesSent += u64(view, row + at.bytes_sent)
  sums.bytesRcvd += u64(view, row + at.bytes_rcvd)
}

interface TcpFlowLevels {
  readonly lost_segments: number
}

export function addTcpFlowLevels(sums: Sums, view: DataView, row: number, at: TcpFlowLevels): void {
  sums.lostSegments += view.getUint32(row + at.lost_segments, true)
}

interface UdpFlowDeltas {
  readonly bytes_sent: number
  readonly bytes_rcvd: number
  readonly packets_sent: number
  readonly packets_rcvd: number
  readonly udp_dropped: number
}

export function addUdpFlowDeltas(sums: Sums, view: DataView, row: number, at: UdpFlowDeltas): void {
  sums.bytesSent += u64(view, row + at.bytes_sent)
  sums.bytesRcvd += u64(view, row + at.bytes_rcvd)
  sums.packetsSent += view.getUint32(row + at.packets_sent, true)
  sums.packetsRcvd += view.getUint32(row + at.packets_rcvd, true)
  sums.udpDropped += view.getUint32(row + at.udp_dropped, true)
}

export const addUdpFlowLevels: AddNothing = () => {}

interface TcpTotalDeltas {
  readonly resets_sent: number
  readonly resets_rcvd: number
}

export function addTcpTotalDeltas(sums: Sums, view: DataView, row: number, at: TcpTotalDeltas): void {
  sums.resetsSent += view.getUint32(row + at.resets_sent, true)
  sums.resetsRcvd += view.getUint32(row + at.resets_rcvd, true)
}

export const addTcpTotalLevels: AddNothing = () => {}
