/** By which address a node is known to others: of its own sockets, outside of containers, as the cluster or another node says it. */

import { BoundedMap } from '../../../wire/bounded_map.ts'
import type { ClusterFacts } from '../../cluster/facts.ts'
import { conversationOf } from '../../flows/conversation.ts'
import type { Followed, Follower } from '../../flows/follower.ts'
import { WORD } from '../../flows/table/columns.ts'
import type { Run } from '../../flows/table/run.ts'
import type { Family } from '../format/templates.ts'
import { nodeOf } from './probes.ts'

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
  /** By what its probe calls the node. */
  readonly #addresses = new BoundedMap<string, Known>(MAX_NODES)
  readonly #nodes = new BoundedMap<string, string>(MAX_NODES)

  /**
   * '' until it is known.
   * @param host as its probe calls it. @param node as the cluster does. @param family one of it, where it has several
   */
  of(host: string, node: string, facts: ClusterFacts, family: Family = 4): string {
    const all = facts.nodeByName(node)?.ips ?? []
    const own = all.find(ip => ip.includes(':') === (family === 6)) ?? all[0]
    return own ?? this.#addresses.peek(host)?.ip ?? ''
  }

  /** It is one of a node. */
  has(ip: string): boolean {
    const host = this.#nodes.peek(ip)
    return host !== undefined && this.#addresses.peek(host)?.ip === ip
  }

  last(): void {}

  leave(): void {}

  forget(): void {}

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
      const isNode = ip !== undefined && store.facts.nodeByAddress(ip, run.time * 1000) !== undefined
      if (ip === undefined || !(isNode || flows.isPeerElsewhere(flow))) continue
      const isStill = () => store.facts.nodeByAddress(known!.ip, run.time * 1000)?.name === nodeOf(store, run)
      if (known && known.ip !== ip && !isNode && isStill()) continue
      this.#addresses.set(run.host, { ip, since: run.time })
      this.#nodes.set(ip, run.host)
      return
    }
  }
}
