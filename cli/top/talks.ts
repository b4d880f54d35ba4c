/** With whom rows talk, from the rows of who talks to whom. */

import type { PeerEnd, PeerRow } from '../../collector/view/peers.ts'
import type { Level, TopRow } from '../../collector/view/rows.ts'

/** Names of one row. */
const MOST = 3

/** What tells ends apart, by level: of an end, and of a row. */
const KEYS: Readonly<Record<Level, { end: (end: PeerEnd) => string; row: (row: TopRow) => string }>> = {
  namespaces: { end: ({ namespace }) => namespace, row: ({ id }) => id },
  pods: { end: ({ podUid }) => podUid, row: ({ id }) => id },
  containers: { end: ({ container }) => container || '(host)', row: ({ id }) => id },
  programs: {
    end: ({ container, process }) => `${container} ${process}`,
    row: ({ ownerId, name }) => `${ownerId} ${name}`,
  },
  processes: {
    end: ({ container, process }) => `${container} ${process}`,
    row: ({ ownerId, name }) => `${ownerId} ${name}`,
  },
}

/** @param peers the busiest first */
export function talks(
  peers: readonly PeerRow[],
  level: Level,
): (host: string, row: TopRow) => readonly string[] {
  const { end: keyOf, row: keyOfRow } = KEYS[level]
  const names = new Map<string, Set<string>>()
  const add = (near: PeerEnd, far: PeerEnd) => {
    if (near.host === '') return
    const key = `${near.host} ${keyOf(near)}`
    const known = names.get(key) ?? new Set()
    if (known.size < MOST) names.set(key, known.add(far.name))
  }
  for (const { client, server } of peers) {
    add(client, server)
    add(server, client)
  }
  return (host, row) => [...(names.get(`${host} ${keyOfRow(row)}`) ?? [])]
}
