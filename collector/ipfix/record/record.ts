/** What a record tells, before anybody has asked for it by the names of elements. */

import type { Carried, Conversation } from '../../flows/conversation.ts'
import type { Family } from '../format/templates.ts'

export type Endpoint = Conversation['source']

/** The pod at one end, and the node that it is on; '' for what is not known. */
export interface Place {
  readonly pod: string
  readonly namespace: string
  readonly node: string
  /** UIDs of the pod, as its containers have it, and of the node. */
  readonly uid?: string
  readonly nodeUid?: string
  /** Of a pod that is known; undefined without one. */
  readonly labels?: Readonly<Record<string, string>>
}

/** As the probe of one node counts them: from client to server, and back. */
export interface NodeCounts {
  readonly total: Carried
  /** Since the last record. */
  readonly since: Carried
  /** Its last packet, seconds since the epoch. */
  readonly end: number
  /** Seconds that `since` is of. */
  readonly seconds: number
}

/** What a record has carried, to the end that it tells of. */
export interface Counts {
  readonly total: Carried
  /** Since the last record. */
  readonly since: Carried
  /** Its last packet, seconds since the epoch. */
  readonly end: number
  /** Seconds that `since` is of. */
  readonly seconds: number
  readonly fromSource?: NodeCounts
  readonly fromDestination?: NodeCounts
}

/** The Service that the client asked for. */
export interface ServiceAsked {
  /** `namespace/name:port`. */
  readonly name: string
  readonly ip: string
  readonly port: number
  readonly uid: string
}

/** IANA's flowEndReason. */
export const END_REASON = { idle: 1, active: 2, end: 3, forced: 4 } as const

/** Antrea's flowType. */
export const FLOW_TYPE = {
  unspecified: 0,
  intraNode: 1,
  interNode: 2,
  toExternal: 3,
  fromExternal: 4,
} as const

export interface IpfixRecord extends Counts {
  readonly family: Family
  readonly source: Endpoint
  readonly destination: Endpoint
  readonly protocol: number
  /** Seconds since the epoch. */
  readonly start: number
  readonly reason: number
  readonly client: Place
  readonly server: Place
  readonly service?: ServiceAsked
  /** The client as the server sees it, where that is another address. */
  readonly snat?: Endpoint
  /** conntrack's name; '' for UDP. */
  readonly state: string
  readonly type: number
  /** The other end's numbers were waited for, and did not come. */
  readonly isIncomplete: boolean
  /** The node whose probe has told it, and its address; '' where that is not known. */
  readonly node: string
  readonly nodeAddress: string
}
