/**
 * Questions about live conversations: `GET /flows` on the collector's unix socket.
 *
 *     curl --unix-socket /run/sockflux/collector.sock 'http://x/flows?pod=web-0&state=open&sort=bytes&limit=50'
 *
 * Parameters, all of them optional: `pod` (name, or namespace/name), `namespace`, `process` (name or pid), `container` (id, its
 * first twelve digits, or name; `(host)` for none), `host`: one end is all of that. `with=kind/name` (`pod/web-0`, `process/nginx`, …): the other
 * end; alone, either end. `peer`: the other end's address, or `unknown` for one that no probe watches. `port`: the server's,
 * asked or answered. `text`: words that are in names, addresses or ports of its ends; `=10.0.0.1` is a whole one. `protocol`: tcp, udp. `state`: ESTABLISHED, …, or `open`. `sort`: bytes (of the last window; the default),
 * total, rtt, retransmits, opened. `limit`: 1 to 10000, by default 200.
 *
 * The answer: `{ time, flows, total, live, most, folded }`. `flows` is a list of `Conversation` (`conversation.ts`): ended ones
 * are among them until their record is written, with `closed`. `total`: conversations that match. `live`, `most`: flows in the
 * table, and how many fit; a conversation with both ends has two. `folded`: hosts whose probes send sums (`--fold`), and
 * whose conversations are therefore missing. A parameter that is wrong is answered with 400 and one sentence; 404: the collector keeps no flows.
 *
 * From TypeScript: `Flows.ask(filter, order, limit)` gives the same; `Flows.each(visit)` visits all without making objects.
 */

import { Problem, type Request, type Routes } from '../routes.ts'
import { type Conversation, conversationOf } from './conversation.ts'
import { END_FILTERS, type EndKind, type Filter, ORDERS, predicateOf } from './filter.ts'
import { eachConversation, type FlowStore } from './table/store.ts'

export interface Answer {
  /** Seconds since the epoch. */
  readonly time: number
  readonly flows: readonly Conversation[]
  readonly total: number
  readonly live: number
  readonly most: number
  readonly folded: readonly string[]
}

const DEFAULT_LIMIT = 200
const MAX_LIMIT = 10_000

export interface Question {
  readonly filter: Filter
  readonly order: keyof typeof ORDERS
  readonly limit: number
}

export function ask(store: FlowStore, { filter, order, limit }: Question): Answer {
  const isWanted = predicateOf(store, filter)
  const keyOf = ORDERS[order]!
  const found: { readonly flow: number; readonly value: number }[] = []
  eachConversation(store, (client, server) => {
    if (isWanted(client, server)) found.push({ flow: client || server, value: keyOf(store, client, server) })
  })
  found.sort((a, b) => b.value - a.value)
  return {
    time: Date.now() / 1000,
    flows: found.slice(0, limit).map(({ flow }) => conversationOf(store, flow)),
    total: found.length,
    live: store.table.size,
    most: store.table.most,
    folded: [...store.runs].filter(({ isFolded }) => isFolded).map(({ host }) => host),
  }
}

const OTHERS = ['with', 'peer', 'port', 'protocol', 'state', 'text', 'sort', 'limit']

/** @throws {Problem} which parameter is wrong, and what it can be */
export function questionOf({ searchParams }: URL): Question {
  const known: readonly string[] = [...END_FILTERS, ...OTHERS]
  for (const name of searchParams.keys())
    if (!known.includes(name))
      throw new Problem(400, `${name} is no parameter of /flows: it has ${known.join(', ')}`)
  const of = (name: string) => searchParams.get(name) ?? undefined
  const end = Object.fromEntries(
    END_FILTERS.flatMap(kind => (of(kind) === undefined ? [] : [[kind, of(kind)]])),
  )
  const order = of('sort') ?? 'bytes'
  if (!Object.hasOwn(ORDERS, order))
    throw new Problem(400, `sort is ${order}: it can be ${Object.keys(ORDERS).join(', ')}`)
  const [other, peer, port, protocol, state] = [
    of('with'),
    of('peer'),
    of('port'),
    of('protocol'),
    of('state'),
  ]
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'udp')
    throw new Problem(400, `protocol is ${protocol}: it can be tcp or udp`)
  return {
    order,
    limit: of('limit') === undefined ? DEFAULT_LIMIT : numberOf('limit', of('limit')!, MAX_LIMIT),
    filter: {
      end,
      ...(other !== undefined && { with: withOf(other) }),
      ...(peer !== undefined && { peer }),
      ...(port !== undefined && { port: numberOf('port', port, 65_535) }),
      ...(protocol !== undefined && { protocol }),
      ...(of('text') !== undefined && { text: of('text')! }),
      ...(state !== undefined && { state: state === 'open' ? state : state.toUpperCase() }),
    },
  }
}

function withOf(text: string): [EndKind, string] {
  const [, kind, name] = /^([a-z]+)\/(.+)$/s.exec(text) ?? []
  const found = END_FILTERS.find(known => known === kind)
  if (found === undefined || name === undefined)
    throw new Problem(
      400,
      `with is ${text}: it is a kind and a name, like pod/web-0; kinds are ${END_FILTERS.join(', ')}`,
    )
  return [found, name]
}

function numberOf(name: string, text: string, most: number): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > most)
    throw new Problem(400, `${name} is ${text}: it is a whole number from 1 to ${most}`)
  return number
}

/** The flow stage. */
interface Asked {
  /** Somebody consumes flows. */
  readonly isWanted: boolean
  ask(question: Question): Answer
}

export const flowRoutes = (flows: Asked): Routes => ({
  'GET /flows': async ({ url }: Request) => {
    if (!flows.isWanted) throw new Problem(404, 'this collector keeps no flows: start it with --flows')
    return flows.ask(questionOf(url))
  },
})
