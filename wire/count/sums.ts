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
  dataSegsSent = 0
  dataSegsRcvd = 0
  busyUs = 0
  receiverUs = 0
  sndbufUs = 0
  stalledUs = 0
  timeouts = 0
  recoveries = 0
  synResent = 0
  spurious = 0
  outOfOrder = 0
  ecnMarks = 0
  synWaiting = 0
  synWaitingUs = 0
  inFlight = 0
  unsent = 0
  unread = 0
  listeners = 0
  queueDepth = 0
  queueLimit = 0
  queueFullest = 0
  queueDrops = 0
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
    this.dataSegsSent += other.dataSegsSent
    this.dataSegsRcvd += other.dataSegsRcvd
    this.busyUs += other.busyUs
    this.receiverUs += other.receiverUs
    this.sndbufUs += other.sndbufUs
    this.stalledUs += other.stalledUs
    this.timeouts += other.timeouts
    this.recoveries += other.recoveries
    this.synResent += other.synResent
    this.spurious += other.spurious
    this.outOfOrder += other.outOfOrder
    this.ecnMarks += other.ecnMarks
    this.synWaiting += other.synWaiting
    if (other.synWaitingUs > this.synWaitingUs) this.synWaitingUs = other.synWaitingUs
    this.inFlight += other.inFlight
    this.unsent += other.unsent
    this.unread += other.unread
    this.listeners += other.listeners
    this.queueDepth += other.queueDepth
    this.queueLimit += other.queueLimit
    if (other.queueFullest > this.queueFullest) this.queueFullest = other.queueFullest
    this.queueDrops += other.queueDrops
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
  data_segs_sent: 'dataSegsSent',
  data_segs_rcvd: 'dataSegsRcvd',
  busy_us: 'busyUs',
  receiver_us: 'receiverUs',
  sndbuf_us: 'sndbufUs',
  stalled_us: 'stalledUs',
  timeouts: 'timeouts',
  recoveries: 'recoveries',
  syn_resent: 'synResent',
  spurious: 'spurious',
  out_of_order: 'outOfOrder',
  ecn_marks: 'ecnMarks',
  syn_waiting: 'synWaiting',
  in_flight: 'inFlight',
  unsent: 'unsent',
  unread: 'unread',
  udp_dropped: 'udpDropped',
} as const

/** Those of which the largest counts. */
export const FLOW_PEAKS = {
  syn_waiting_us: 'synWaitingUs',
} as const

interface TcpFlowDeltas {
  readonly segs_sent: number
  readonly segs_rcvd: number
  readonly segs_resent: number
  readonly bytes_sent: number
  readonly bytes_rcvd: number
  readonly data_segs_sent: number
  readonly data_segs_rcvd: number
  readonly busy_us: number
}

export function addTcpFlowDeltas(sums: Sums, view: DataView, row: number, at: TcpFlowDeltas): void {
  sums.packetsSent += view.getUint32(row + at.segs_sent, true)
  sums.packetsRcvd += view.getUint32(row + at.segs_rcvd, true)
  sums.retransmits += view.getUint32(row + at.segs_resent, true)
  sums.bytesSent += u64(view, row + at.bytes_sent)
  sums.bytesRcvd += u64(view, row + at.bytes_rcvd)
  sums.dataSegsSent += view.getUint32(row + at.data_segs_sent, true)
  sums.dataSegsRcvd += view.getUint32(row + at.data_segs_rcvd, true)
  sums.busyUs += view.getUint32(row + at.busy_us, true)
}

interface TcpFlowLevels {
  readonly lost_segments: number
}

export function addTcpFlowLevels(sums: Sums, view: DataView, row: number, at: TcpFlowLevels): void {
  sums.lostSegments += view.getUint32(row + at.lost_segments, true)
}

interface TcpHealthDeltas {
  readonly receiver_us: number
  readonly sndbuf_us: number
  readonly stalled_us: number
  readonly timeouts: number
  readonly recoveries: number
  readonly syn_resent: number
  readonly spurious: number
  readonly out_of_order: number
  readonly ecn_marks: number
}

export function addTcpHealthDeltas(sums: Sums, view: DataView, row: number, at: TcpHealthDeltas): void {
  sums.receiverUs += view.getUint32(row + at.receiver_us, true)
  sums.sndbufUs += view.getUint32(row + at.sndbuf_us, true)
  sums.stalledUs += view.getUint32(row + at.stalled_us, true)
  sums.timeouts += view.getUint32(row + at.timeouts, true)
  sums.recoveries += view.getUint32(row + at.recoveries, true)
  sums.synResent += view.getUint32(row + at.syn_resent, true)
  sums.spurious += view.getUint32(row + at.spurious, true)
  sums.outOfOrder += view.getUint32(row + at.out_of_order, true)
  sums.ecnMarks += view.getUint32(row + at.ecn_marks, true)
}

interface TcpHealthLevels {
  readonly syn_waiting: number
  readonly syn_waiting_us: number
  readonly in_flight: number
  readonly unsent: number
  readonly unread: number
}

export function addTcpHealthLevels(sums: Sums, view: DataView, row: number, at: TcpHealthLevels): void {
  sums.synWaiting += view.getUint32(row + at.syn_waiting, true)
  sums.synWaitingUs = Math.max(sums.synWaitingUs, view.getUint32(row + at.syn_waiting_us, true))
  sums.inFlight += view.getUint32(row + at.in_flight, true)
  sums.unsent += view.getUint32(row + at.unsent, true)
  sums.unread += view.getUint32(row + at.unread, true)
}

interface TcpListenDeltas {
  readonly queue_drops: number
}

export function addTcpListenDeltas(sums: Sums, view: DataView, row: number, at: TcpListenDeltas): void {
  sums.queueDrops += view.getUint32(row + at.queue_drops, true)
}

interface TcpListenLevels {
  readonly listeners: number
  readonly queue_depth: number
  readonly queue_limit: number
  readonly queue_fullest: number
}

export function addTcpListenLevels(sums: Sums, view: DataView, row: number, at: TcpListenLevels): void {
  sums.listeners += view.getUint32(row + at.listeners, true)
  sums.queueDepth += view.getUint32(row + at.queue_depth, true)
  sums.queueLimit += view.getUint32(row + at.queue_limit, true)
  sums.queueFullest = Math.max(sums.queueFullest, view.getUint32(row + at.queue_fullest, true))
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
