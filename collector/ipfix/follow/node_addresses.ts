/** By which address a node is known to others: of its own sockets, outside of containers, as the cluster or another node says it. */

import { BoundedMap } from '../../../wire/bounded_map.ts'
import { conversationOf } from '../../flows/conversation.ts'
import type { Followed, Follower } from '../../flows/follower.ts'
import { WORD } from '../../flows/table/columns.ts'
import type { Run } from '../../flows/table/run.ts'

const MAX_NODES = 8192
/** Flows that are looked at in a window, of a node whose address is not known yet. */
const LOOKS = 64
/** Seconds after which an address is looked for again: nodes get other ones. */
const OLD_S = 3600

interface Known {
  readonly ip: string
  /** Label of the window that has shown it. */
  readonly time: number
}

export class NodeAddresses implements Follower {
  /** By what its probe calls the node. */
  readonly #addresses = new BoundedMap<string, Known>(MAX_NODES)

  /** '' until it is known. */
  of(host: string): string {
    return this.#addresses.peek(host)?.ip ?? ''
  }

  last(): void {}

  leave(): void {}

  forget(): void {}

  window(flows: Followed, run: Run): void {
    const known = this.#addresses.peek(run.host)
    if (known && run.time - known.time < OLD_S) return
    const { store } = flows
    let looks = 0
    for (const flow of store.ofRun(run)) {
      if (store.table.word(flow, WORD.PLACE) !== 0) continue
      if (++looks > LOOKS) return
      const { client, source, answered, server } = conversationOf(store, flow)
      const ip = client?.host === run.host ? source.ip : server?.host === run.host ? answered?.ip : undefined
      const isNode = ip !== undefined && store.facts.nodeByAddress(ip, run.time * 1000) !== undefined
      if (ip === undefined || !(isNode || flows.isPeerElsewhere(flow))) continue
      this.#addresses.set(run.host, { ip, time: run.time })
      return
    }
  }
}
