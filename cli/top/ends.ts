/** What people call the two ends of a conversation. */

import type { Conversation, End } from '../../collector/flows/conversation.ts'
import type { Endpoint } from '../../collector/flows/ends/endpoint.ts'
import type { Scope } from './state.ts'

export const addressOf = ({ ip, port }: Endpoint): string => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`

/** The pod, else the container, else the process. */
export const endName = ({ pod, containerName, container, process }: End): string =>
  pod || containerName || container || process

export const clientName = ({ client, clientCluster, source }: Conversation): string =>
  client ? endName(client) : (clientCluster?.name ?? source.ip)

/** With the port that the client asked for. */
export const serverName = ({ server, serverCluster, asked }: Conversation): string => {
  const name = server ? endName(server) : serverCluster?.name
  return name === undefined ? addressOf(asked) : `${name}:${asked.port}`
}

export type Side = 'client' | 'server'

const IS: Readonly<Record<Scope['level'], (end: End, scope: Scope) => boolean>> = {
  namespaces: ({ namespace }, { name }) => namespace === name,
  pods: ({ podUid, pod }, { id, name }) => podUid === id || (podUid === undefined && pod === name),
  containers: ({ container }, { query }) =>
    container === (query['container'] === '(host)' ? '' : query['container']),
  programs: ({ process }, { query }) => process === query['process'],
  processes: ({ pid }, { id }) => String(pid) === id,
}

/** Which end is meant; of two the client. */
export const sideOf = ({ client }: Conversation, scope: Scope): Side =>
  client && client.host === scope.host && IS[scope.level](client, scope) ? 'client' : 'server'

/** Seen from one side. */
export function seenFrom(conversation: Conversation, side: Side) {
  const { total, window, client, server } = conversation
  const isClient = side === 'client'
  const of = ({ bytes, revBytes }: typeof total) =>
    isClient ? { sent: bytes, rcvd: revBytes } : { sent: revBytes, rcvd: bytes }
  return {
    near: isClient ? client : server,
    peer: isClient ? serverName(conversation) : clientName(conversation),
    total: of(total),
    window: of(window),
  }
}
