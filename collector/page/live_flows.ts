import { setImmediate as turn } from 'node:timers/promises'
import { type Conversation, conversationOf } from '../flows/conversation.ts'
import type { Flows } from '../flows/flows.ts'
import { WORD } from '../flows/table/columns.ts'

/** The collector goes on with its windows in between: these take some milliseconds. */
const BETWEEN_TURNS = 500

/** Every live conversation; those that end while this goes on are left out. */
export async function* liveOf(flows: Flows): AsyncGenerator<Conversation> {
  const { store } = flows
  const socketOf = (flow: number) => store.table.word(flow, WORD.SOCKET)
  const found: { readonly flow: number; readonly socket: number }[] = []
  flows.each((client, server) => {
    const flow = client || server
    found.push({ flow, socket: socketOf(flow) })
  })
  for (const [at, { flow, socket }] of found.entries()) {
    if (at > 0 && at % BETWEEN_TURNS === 0) await turn()
    if (socketOf(flow) === socket) yield conversationOf(store, flow)
  }
}
