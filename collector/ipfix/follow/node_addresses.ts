/** By which address a node is known to others: of its own sockets, outside of containers, as the cluster or another node says it. */

import { BoundedMap } from '../../../wire/bounded_map.ts'
import { conversationOf } from '../../flows/conversation.ts'
import type { Followed, Follower } from '../../flows/follower.ts'
import { WORD } from '../../flows/table/columns.ts'
import type { Run } from '../../flows/table/run.ts'
import type { ClusterNames } from '../record/cluster.ts'

const MAX_NODES = 8192
/** Flows that are looked at in a window, of a node whose address is not known yet. */
const LOOKS = 64

export class NodeAddresses implements Follower {
  readonly #addresses = new BoundedMap<string, string>(MAX_NODES)
  readonly #cluster: ClusterNames

  constructor(cluster: ClusterNames) {
    this.#cluster = cluster
  }

  /** '' until it is known. */
  of(node: string): string {
    return this.#addresses.peek(node) ?? ''
  }

  last(): void {}

  forget(): void {}

  window(flows: Followed, run: Run): void {
    if (this.#addresses.peek(run.host) !== undefined) return
    const { store } = flows
    let looks = 0
    for (const flow of store.ofRun(run)) {
      if (store.table.word(flow, WORD.PLACE) !== 0) continue
      if (++looks > LOOKS) return
      const { client, source, answered, server } = conversationOf(store, flow)
      const ip = client?.host === run.host ? source.ip : server?.host === run.host ? answered?.ip : undefined
      const isNode = ip !== undefined && this.#cluster.nodeByAddress(ip, run.time * 1000)?.name === run.host
      if (ip === undefined || !(isNode || flows.isPeerElsewhere(flow))) continue
      this.#addresses.set(run.host, ip)
      return
    }
  }
}
