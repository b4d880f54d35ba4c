/** Which node a pod's flow is on, and which one it goes to: `node:traffic`. */

import { beganMs, clusterEndOf } from '../ends/cluster_ends.ts'
import { ipAt } from '../ends/endpoint.ts'
import { WORD } from '../table/columns.ts'
import type { FlowStore } from '../table/store.ts'

/** Undefined for what is in no pod: the traffic of a node is that of its pods. */
export function nodeRow(
  store: FlowStore,
  far: { isPeerElsewhere(flow: number): boolean },
  flow: number,
): { node: string; peer_node: string; scope: string } | undefined {
  const place = store.places.get(store.table.word(flow, WORD.PLACE))
  if (place?.name.pod === undefined) return undefined
  const node = nodeOf(store, flow)
  const peer = farNode(store, flow)
  if (peer !== '') return { node, peer_node: peer, scope: peer === node ? 'intra' : 'inter' }
  const isInside =
    far.isPeerElsewhere(flow) || store.facts.rangeOf(ipAt(store, flow, 'remote'), beganMs(store, flow)) !== ''
  return { node, peer_node: '', scope: isInside ? 'inter' : 'external' }
}

/** As the cluster calls it, else as its probe does. */
function nodeOf(store: FlowStore, flow: number): string {
  return clusterEndOf(store, flow, 0, 0)?.node || store.runOf(flow).host
}

function farNode(store: FlowStore, flow: number): string {
  const peer = store.table.word(flow, WORD.PEER)
  if (peer !== 0) return nodeOf(store, peer)
  return clusterEndOf(store, 0, flow, beganMs(store, flow))?.node ?? ''
}
