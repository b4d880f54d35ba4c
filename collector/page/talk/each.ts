import { setImmediate as turn } from 'node:timers/promises'
import { type Filter, predicateOf } from '../../flows/filter.ts'
import type { Flows } from '../../flows/flows.ts'
import { WORD } from '../../flows/table/columns.ts'
import { endsOf } from '../../flows/table/store.ts'

/** The collector goes on with its windows in between: these take some milliseconds. */
const BETWEEN_TURNS = 1000

/**
 * Every live conversation that is wanted, without making objects; those that end while this goes on are left out.
 * @param visit called with its client's flow and its server's, 0 for an end that is unknown
 */
export async function eachLive(
  flows: Flows,
  filter: Filter,
  visit: (client: number, server: number) => void,
): Promise<void> {
  const { store } = flows
  const isWanted = predicateOf(store, filter)
  const found: number[] = []
  flows.each((client, server) => {
    const lead = client || server
    found.push(lead, store.table.word(lead, WORD.SOCKET))
  })
  for (let at = 0; at < found.length; at += 2) {
    if (at > 0 && at % (2 * BETWEEN_TURNS) === 0) await turn()
    const lead = found[at]!
    if (!isStill(flows, lead, found[at + 1]!)) continue
    const { client, server } = endsOf(store, lead)
    // another one leads when its other end was found meanwhile
    if (lead === (client || server) && isWanted(client, server)) visit(client, server)
  }
}

/** The place is not another's. */
export const isStill = ({ store: { table } }: Flows, flow: number, socket: number): boolean =>
  table.word(flow, WORD.RUN) !== 0 && table.word(flow, WORD.SOCKET) === socket
