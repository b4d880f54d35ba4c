/** What a unit has carried, in total and since its last record; each counter by itself, never below zero. */

import { carried, TOTAL } from '../../flows/conversation.ts'
import type { Counts, NodeCounts } from '../record/record.ts'
import { type Due, leadOf } from './follow.ts'
import { TOLD, type Told } from './told.ts'

export function countsOf(due: Due): Counts {
  const { client, server, told, conversation, flows } = due
  const { store } = flows
  const lead = leadOf(due)
  const [total, ends] = [carried(store, client, server, TOTAL), { client, server }]
  const endOf = (of: typeof ends) => Math.max(conversation.closed ?? movedOf(told, of), conversation.opened)
  const end = endOf(ends)
  const seconds = end - (told.get(lead, TOLD.END) || conversation.opened)
  const node = (flow: number, isClient: boolean): NodeCounts => {
    const own = isClient ? carried(store, flow, 0, TOTAL) : carried(store, 0, flow, TOTAL)
    const of = { client: isClient ? flow : 0, server: isClient ? 0 : flow }
    return { total: own, since: told.since(flow, TOLD.OWN, own), end: endOf(of), seconds }
  }
  return {
    ...{ total, since: told.since(lead, TOLD.CARRIED, total), end, seconds },
    ...(client !== 0 && { fromSource: node(client, true) }),
    ...(server !== 0 && { fromDestination: node(server, false) }),
  }
}

const movedOf = (told: Told, { client, server }: { client: number; server: number }): number =>
  Math.max(client && told.get(client, TOLD.MOVED), server && told.get(server, TOLD.MOVED))
