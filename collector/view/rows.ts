/** What a person sees of a window: rows of containers, pods, namespaces, programs, processes and interfaces. */

import type { ProcessName } from '../../wire/message.ts'

/** Levels of rows, from the smallest number of rows to the largest. */
export const LEVELS = ['namespaces', 'pods', 'containers', 'programs', 'processes'] as const
export type Level = (typeof LEVELS)[number]

/** Traffic and troubles of one of them, both roles together. Numbers per second are means over the window. */
export interface TopRow {
  /** Unique in its level of its host. */
  readonly id: string
  readonly name: string
  /** Empty for what is in no pod. */
  readonly pod: string
  readonly namespace: string
  /** Of processes: their container; `(host)` for what is in none. */
  readonly owner: string
  /** Of processes: the id of that container; empty for none. */
  readonly ownerId: string
  /** Containers of a pod, pods of a namespace, processes of a program; else 1. */
  readonly parts: number
  readonly asClient: number
  readonly asServer: number
  /** ms: the mean of the smoothed RTTs of the flows that were measured in the window; null when none was. */
  readonly rtt: number | null
  readonly rttVariance: number | null
  /** ms: of all samples of the window; null when there is none. */
  readonly rttP50: number | null
  readonly rttP95: number | null
  readonly rttP99: number | null
  /** Bytes of payload. */
  readonly sentPerSecond: number
  readonly rcvdPerSecond: number
  readonly openedPerSecond: number
  /** In the window. */
  readonly opened: number
  readonly closed: number
  readonly failed: number
  readonly packetsSent: number
  readonly retransmits: number
  readonly resets: number
  readonly udpDropped: number
  /** At the window's end: segments that are taken for lost. */
  readonly lostSegments: number
  /** At the window's end: connections whose SYN nobody has answered, for longer than a round trip takes. */
  readonly waiting: number
  /** Bytes per second, sent and received, of the windows of the last minute, oldest first. */
  readonly trend: readonly number[]
  /** Of a process: its program, parent and user. */
  readonly process?: ProcessName
}

/** Of the network namespace of the probe. Bytes are with all headers. */
export interface InterfaceRow {
  readonly id: string
  readonly name: string
  readonly sentPerSecond: number
  readonly rcvdPerSecond: number
  readonly packetsSentPerSecond: number
  readonly packetsRcvdPerSecond: number
  /** In the window. */
  readonly errors: number
  readonly dropped: number
  readonly trend: readonly number[]
}

/** Something that a person should look at. */
export interface Trouble {
  /** A sentence. */
  readonly text: string
  /** Of which row it is, if it is of one. */
  readonly level?: Level
  readonly id?: string
}

export interface TopHost extends Readonly<Record<Level, readonly TopRow[]>> {
  readonly host: string
  /** The window's end, seconds since the epoch. */
  readonly time: number
  /** Of the window, seconds. */
  readonly interval: number
  readonly partial: boolean
  readonly interfaces: readonly InterfaceRow[]
  /** All there are of each level: of many, the rows are the busiest. */
  readonly total: Readonly<Record<Level, number>>
  readonly flows: number
  /** What the probe lost in the last minute, by stage and reason. */
  readonly lost: Readonly<Record<string, number>>
  readonly troubles: readonly Trouble[]
}
