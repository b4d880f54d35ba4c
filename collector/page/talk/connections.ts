/** The live conversations as a list, those that carried most first. */

import { type Conversation, carried, conversationOf, IN_WINDOW, TOTAL } from '../../flows/conversation.ts'
import type { Flows } from '../../flows/flows.ts'
import { WORD } from '../../flows/table/columns.ts'
import { filterOf } from './asked.ts'
import { eachLive, isStill } from './each.ts'
import { Heaviest } from './heaviest.ts'
import { kindOf, kindsOf } from './kinds.ts'

const MAX_CONNECTIONS = 1000

export interface Connections {
  readonly connections: readonly Conversation[]
  /** There are, also those that are not sent. */
  readonly total: number
}

export async function connectionsOf(flows: Flows, asked: URLSearchParams): Promise<Connections> {
  const { store } = flows
  const heaviest = new Heaviest<{ readonly flow: number; readonly socket: number }>(MAX_CONNECTIONS)
  const wanted = kindsOf(asked)
  await eachLive(flows, filterOf(asked), (client, server) => {
    if (wanted && !wanted.includes(kindOf(store, client, server))) return
    const flow = client || server
    const [window, total] = [IN_WINDOW, TOTAL].map(sums => carried(store, client, server, sums))
    const weight = (window!.bytes + window!.revBytes) * 1e6 + total!.bytes + total!.revBytes
    heaviest.add(weight, () => ({ flow, socket: store.table.word(flow, WORD.SOCKET) }))
  })
  const connections = heaviest
    .values()
    .filter(({ flow, socket }) => isStill(flows, flow, socket))
    .map(({ flow }) => conversationOf(store, flow))
  return { connections, total: heaviest.count }
}
