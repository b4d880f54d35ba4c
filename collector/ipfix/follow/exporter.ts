/** Told as an exporter on each node would: what that node has seen of it, and only the pods that are there. */

import type { Conversation } from '../../flows/conversation.ts'
import type { Followed } from '../../flows/follower.ts'
import type { FlowStore } from '../../flows/table/store.ts'
import type { ClusterNames } from '../record/cluster.ts'
import { endsOf, NOWHERE, type Scope, type Surroundings } from '../record/ends.ts'
import type { IpfixRecord } from '../record/record.ts'
import { recordOf } from '../record/record_of.ts'
import { countsOf } from './counts.ts'
import { type Due, leadOf, type Teller, type Unit } from './follow.ts'
import type { NodeAddresses } from './node_addresses.ts'

export interface TellerParts {
  readonly cluster: ClusterNames
  readonly scope: Scope
  readonly addresses: NodeAddresses
  readonly emit: (record: IpfixRecord) => void
}

export class Exporter implements Teller {
  readonly #parts: TellerParts

  constructor(parts: TellerParts) {
    this.#parts = parts
  }

  unitsOf(store: FlowStore, client: number, server: number): Unit[] {
    const isOfTwo = client !== 0 && server !== 0 && store.runOf(client).host !== store.runOf(server).host
    return isOfTwo
      ? [
          { client, server: 0 },
          { client: 0, server },
        ]
      : [{ client, server }]
  }

  isEarly(): boolean {
    return false
  }

  tell(due: Due): boolean {
    const { conversation, client, server } = due
    const ends = endsOf(conversation, surroundings(this.#parts, due.flows, conversation, leadOf(due)))
    const [atClient, atServer] = [client !== 0 && ends.client.isPod, server !== 0 && ends.server.isPod]
    if (!atClient && !atServer) return true
    const own = {
      ...ends,
      client: atClient ? ends.client.place : NOWHERE,
      server: atServer ? ends.server.place : NOWHERE,
    }
    const node = due.flows.store.runOf(leadOf(due)).host
    const { addresses, emit } = this.#parts
    emit(
      recordOf(
        due,
        own,
        countsOf(due),
        { name: node, addressOf: family => addresses.of(node, family) },
        false,
      ),
    )
    return true
  }
}

export function surroundings(
  { cluster, scope, addresses }: TellerParts,
  flows: Followed,
  { client, server, opened }: Conversation,
  lead: number,
): Surroundings {
  const isHalf = client === undefined || server === undefined
  return {
    ...{ cluster, scope },
    isWatched: node => [...flows.store.runs].some(({ host }) => host === node),
    isPeerElsewhere: isHalf && flows.isPeerElsewhere(lead),
    isNode: ip => addresses.has(ip) || cluster.nodeByAddress(ip, opened * 1000) !== undefined,
  }
}
