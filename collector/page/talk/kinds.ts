/** What the traffic of pods goes to, as far as probes and cluster tell. */

import { askedService, beganMs, clusterEndOf } from '../../flows/ends/cluster_ends.ts'
import { isSeenByClient } from '../../flows/ends/halves.ts'
import type { Flows } from '../../flows/flows.ts'
import { WORD } from '../../flows/table/columns.ts'
import { type FlowStore, protocolOf, UDP } from '../../flows/table/store.ts'
import { Problem } from '../../routes.ts'

/**
 * `service`: a pod that asked for the address of a Service. `pod`: from pod to pod, also one that is an endpoint of a Service and was
 * asked for by its own address. `external`: from a pod to what is neither; `inbound`: to a pod, from what is none; `other`: no pod at all.
 */
export const KINDS = ['pod', 'service', 'external', 'inbound', 'other'] as const
export type Kind = (typeof KINDS)[number]

/**
 * @param client flow of the client, 0: unknown. @param server flow of the server
 * @returns undefined for what is there already: the half of a UDP conversation whose client has the other, through a Service
 */
export function kindOf(flows: Flows, client: number, server: number): Kind | undefined {
  const { store } = flows
  const isUdp = protocolOf(store.table.word(client || server, WORD.KIND)) === UDP
  if (isUdp && client === 0 && store.facts.isKnown && isSeenByClient(store, flows, server)) return undefined
  if (!isPod(store, client, server)) return isPod(store, server, client) ? 'inbound' : 'other'
  if (serviceOf(store, client, server)) return 'service'
  return isPod(store, server, client) ? 'pod' : 'external'
}

/** The Service whose address the client asked for. */
export function serviceOf(store: FlowStore, client: number, server: number) {
  const service = askedService(store, client, server, beganMs(store, client || server))
  return service?.by === 'address' ? service : undefined
}

function isPod(store: FlowStore, flow: number, far: number): boolean {
  if (flow === 0) return clusterEndOf(store, 0, far, beganMs(store, far))?.kind === 'pod'
  return store.places.get(store.table.word(flow, WORD.PLACE))?.name.pod !== undefined
}

/** @returns the kinds that are asked for: `pods` are all in which a pod takes part; undefined: whatever it is */
export function kindsOf(asked: URLSearchParams): readonly Kind[] | undefined {
  const to = asked.get('to') ?? ''
  if (to === '') return undefined
  if (to === 'pods') return KINDS.filter(kind => kind !== 'other')
  const kind = KINDS.find(kind => kind === to)
  if (kind === undefined) throw new Problem(400, `to must be pods, or one of ${KINDS.join(', ')}`)
  return [kind]
}
