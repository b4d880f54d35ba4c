/** The live conversations as a list, those that carried most first. */

import { type Conversation, carried, conversationOf, TOTAL } from '../../flows/conversation.ts'
import type { Flows } from '../../flows/flows.ts'
import { WORD } from '../../flows/table/columns.ts'
import { endsOf } from '../../flows/table/store.ts'
import { filterOf } from './asked.ts'
import { eachLive, isStill } from './each.ts'
import { Heaviest } from './heaviest.ts'
import { kindOf, kindsOf } from './kinds.ts'
import { type Rates, ratesOf } from './rates.ts'

const MAX_CONNECTIONS = 1000

export interface Connections {
  readonly connections: readonly (Conversation & Rates)[]
  /** There are, also those that are not sent. */
  readonly total: number
}

export async function connectionsOf(flows: Flows, asked: URLSearchParams): Promise<Connections> {
  const { store } = flows
  const heaviest = new Heaviest<{ readonly flow: number; readonly socket: number }>(MAX_CONNECTIONS)
  const wanted = kindsOf(asked)
  await eachLive(flows, filterOf(asked), (client, server) => {
    const kind = wanted && kindOf(flows, client, server)
    if (wanted && (kind === undefined || !wanted.includes(kind))) return
    const flow = client || server
    const { sentPerSecond, rcvdPerSecond } = ratesOf(store, client, server)
    const total = carried(store, client, server, TOTAL)
    const weight = (sentPerSecond + rcvdPerSecond) * 1e6 + total.bytes + total.revBytes
    heaviest.add(weight, () => ({ flow, socket: store.table.word(flow, WORD.SOCKET) }))
  })
  const connections = heaviest
    .values()
    .filter(({ flow, socket }) => isStill(flows, flow, socket))
    .map(({ flow }) => {
      const { client, server } = endsOf(store, flow)
      return { ...conversationOf(store, flow), ...ratesOf(store, client, server) }
    })
  return { connections, total: heaviest.count }
}
