/**
 * Told as an exporter on each node would: what that node has seen of it, and only the pods that are there; or as an aggregator passes
 * that on which joins nothing, with the names of both ends.
 */

import type { Conversation } from '../../flows/conversation.ts'
import type { Followed } from '../../flows/follower.ts'
import { type FlowStore, endsOf as flowsOf } from '../../flows/table/store.ts'
import { endsOf, NOBODY, NOWHERE, type Scope, type Surroundings } from '../record/ends.ts'
import type { IpfixRecord } from '../record/record.ts'
import { type NodeTelling, recordOf } from '../record/record_of.ts'
import { countsOf } from './counts.ts'
import { type Due, leadOf, type Teller, type Unit } from './follow.ts'
import type { NodeAddresses } from './node_addresses.ts'
import { nodeOf, probeOf } from './probes.ts'

export interface TellerParts {
  readonly scope: Scope
  readonly addresses: NodeAddresses
  readonly emit: (record: IpfixRecord) => void
}

export class Exporter implements Teller {
  readonly #parts: TellerParts
  readonly #names: 'own' | 'both'

  constructor(parts: TellerParts, names: 'own' | 'both' = 'own') {
    this.#parts = parts
    this.#names = names
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
    const { emit } = this.#parts
    const own = {
      ...ends,
      client: atClient || this.#names === 'both' ? ends.client.place : NOWHERE,
      server: atServer || this.#names === 'both' ? ends.server.place : NOWHERE,
    }
    emit(recordOf(due, own, countsOf(due), tellerOf(this.#parts, due), false))
    return true
  }
}

/** The node whose probe reports it. */
export function tellerOf({ addresses }: TellerParts, due: Due): NodeTelling {
  const { store } = due.flows
  const run = store.runOf(leadOf(due))
  const name = nodeOf(store, run)
  return { name, addressOf: family => addresses.of(run.host, name, store.facts, family) }
}

export function surroundings(
  { scope, addresses }: TellerParts,
  flows: Followed,
  { client, server }: Conversation,
  lead: number,
): Surroundings {
  const isHalf = client === undefined || server === undefined
  const { store } = flows
  const ends = flowsOf(store, lead)
  const node = (flow: number) => (flow === 0 ? '' : nodeOf(store, store.runOf(flow)))
  return {
    ...{ facts: store.facts, scope },
    nodes: { client: node(ends.client), server: node(ends.server) },
    probeOf: name => (name === '' ? NOBODY : probeOf(store, name)),
    isPeerElsewhere: isHalf && flows.isPeerElsewhere(lead),
    isNode: ip => addresses.has(ip),
  }
}
