/** Who waits for an answer, and from whom: a sentence for each pair, and a number for each row. */

import type { Flows } from '../flows/flows.ts'
import { WORD } from '../flows/table/columns.ts'
import type { FlowStore } from '../flows/table/store.ts'
import { KnownAddresses } from './known_addresses.ts'
import type { Waiting } from './last_window.ts'
import { HOST } from './levels.ts'
import { type PeerEnd, PeerNames } from './peer_names.ts'
import type { Level, Trouble } from './rows.ts'
import { waitsFor } from './unanswered.ts'

interface Pair {
  readonly client: PeerEnd
  /** A flow of it. */
  readonly flow: number
  readonly port: number
  connections: number
  /** Of the one that waits longest. */
  seconds: number
}

/** Of many pairs the first ones have a sentence. */
const MOST = 20

const KEYS: readonly (readonly [Level, (end: PeerEnd, pid: number) => string])[] = [
  ['namespaces', ({ namespace, pod }) => (pod ? namespace : '')],
  ['pods', ({ podUid }) => podUid],
  ['containers', ({ container }) => container || HOST],
  ['programs', ({ container, process }) => JSON.stringify([container, process])],
  ['processes', (_, pid) => String(pid)],
]

/** @param host name of the host, as samples have it */
export function waitingOn({ store }: Flows, host: string): Waiting {
  const names = new PeerNames(store)
  const pairs = new Map<string, Pair>()
  const counts = new Map<string, number>()
  for (const run of store.runs)
    if (run.host === host)
      for (const flow of store.ofRun(run)) {
        const seconds = waitsFor(store, flow)
        if (seconds > 0) count(store, names, pairs, counts, flow, seconds)
      }
  if (pairs.size === 0) return { troubles: [], of: () => 0 }
  const longest = [...pairs.values()].sort((a, b) => b.seconds - a.seconds).slice(0, MOST)
  const known = new KnownAddresses(
    store,
    longest.map(({ flow }) => flow),
  )
  return {
    troubles: longest.map(pair => troubleOf(pair, known.at(pair.flow) ?? names.of(0, pair.flow).name)),
    of: (level, id) => counts.get(`${level} ${id}`) ?? 0,
  }
}

function count(
  store: FlowStore,
  names: PeerNames,
  pairs: Map<string, Pair>,
  counts: Map<string, number>,
  flow: number,
  seconds: number,
): void {
  const { table } = store
  const port = table.word(flow, WORD.PORTS) & 0xffff
  const id = `${names.key(flow, 0)} ${names.key(0, flow)} ${port}`
  const pair = pairs.get(id) ?? { client: names.of(flow, 0), flow, port, connections: 0, seconds: 0 }
  pairs.set(id, pair)
  pair.connections++
  pair.seconds = Math.max(pair.seconds, seconds)
  for (const [level, keyOf] of KEYS) {
    const key = `${level} ${keyOf(pair.client, table.word(flow, WORD.PID))}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
}

function troubleOf({ client, port, connections, seconds }: Pair, server: string): Trouble {
  const waits = connections === 1 ? '1 connection waits' : `${connections} connections wait`
  const target = server.includes(':') ? `[${server}]` : server
  return {
    text: `${client.name}→${target}:${port}: ${waits} for an answer ${Math.floor(seconds)} s`,
    level: 'containers',
    id: client.container || HOST,
  }
}
