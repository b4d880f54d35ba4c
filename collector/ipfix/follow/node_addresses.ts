/** By which address a node is known to others: of its own sockets, outside of containers, as the cluster or another node says it. */

import { BoundedMap } from '../../../wire/bounded_map.ts'
import { conversationOf } from '../../flows/conversation.ts'
import type { Followed, Follower } from '../../flows/follower.ts'
import { WORD } from '../../flows/table/columns.ts'
import type { Run } from '../../flows/table/run.ts'
import type { Family } from '../format/templates.ts'
import type { ClusterNames } from '../record/cluster.ts'

const MAX_NODES = 8192
/** Flows that are looked at in a window, of a node whose address is not known. */
const LOOKS = 64
/** A node may get another address: it is looked at again so often, and kept where nothing better is found. Seconds. */
const AGAIN_S = 60

interface Known {
  readonly ip: string
  /** Label of the window. */
  readonly since: number
}

export class NodeAddresses implements Follower {
  readonly #addresses = new BoundedMap<string, Known>(MAX_NODES)
  readonly #nodes = new BoundedMap<string, string>(MAX_NODES)
  readonly #cluster: ClusterNames

  constructor(cluster: ClusterNames) {
    this.#cluster = cluster
  }

  /** '' until it is known. @param family one of it, where it has several */
  of(node: string, family: Family = 4): string {
    const all = this.#cluster.nodeByName(node)?.ips ?? []
    const own = all.find(ip => ip.includes(':') === (family === 6)) ?? all[0]
    return own ?? this.#addresses.peek(node)?.ip ?? ''
  }

  /** It is one of a node. */
  has(ip: string): boolean {
    const node = this.#nodes.peek(ip)
    return node !== undefined && this.#addresses.peek(node)?.ip === ip
  }

  last(): void {}

  forget(): void {}

  #isStill(ip: string, run: Run): boolean {
    return this.#cluster.nodeByAddress(ip, run.time * 1000)?.name === run.host
  }

  window(flows: Followed, run: Run): void {
    const known = this.#addresses.peek(run.host)
    if (known && run.time - known.since < AGAIN_S) return
    const { store } = flows
    let looks = 0
    for (const flow of store.ofRun(run)) {
      if (store.table.word(flow, WORD.PLACE) !== 0 || store.isClosed(flow)) continue
      if (++looks > LOOKS) return
      const { client, source, answered, server } = conversationOf(store, flow)
      const ip = client?.host === run.host ? source.ip : server?.host === run.host ? answered?.ip : undefined
      const isNode = ip !== undefined && this.#cluster.nodeByAddress(ip, run.time * 1000)?.name === run.host
      if (ip === undefined || !(isNode || flows.isPeerElsewhere(flow))) continue
      if (known && known.ip !== ip && !isNode && this.#isStill(known.ip, run)) continue
      this.#addresses.set(run.host, { ip, since: run.time })
      this.#nodes.set(ip, run.host)
      return
    }
  }
}
