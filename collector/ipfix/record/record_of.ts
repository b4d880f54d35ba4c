import type { Conversation } from '../../flows/conversation.ts'
import type { Family } from '../format/templates.ts'
import type { Counts, Endpoint, IpfixRecord, Place, ServiceAsked } from './record.ts'
import { conntrackState } from './tcp_state.ts'

/** Numbers of protocols: IANA. */
const PROTOCOLS = { tcp: 6, udp: 17 } as const

/** The node whose probe reports a conversation. */
export interface NodeTelling {
  readonly name: string
  /** One of its addresses; '' where none is known. */
  readonly addressOf: (family: Family) => string
}

interface Who {
  readonly client: Place
  readonly server: Place
  readonly service?: ServiceAsked
  readonly type: number
}

/** The destination is who answered: of a Service, the pod behind it, as far as that is known. */
export function recordOf(
  { conversation, reason }: { readonly conversation: Conversation; readonly reason: number },
  who: Who,
  carrying: Counts,
  node: NodeTelling,
  isIncomplete: boolean,
): IpfixRecord {
  const { source, answered, asked, seenAs, protocol, opened, state } = conversation
  const destination = answered ?? asked
  const family = familyOf(source, destination)
  return {
    ...{ ...carrying, family },
    ...{ source, destination, protocol: PROTOCOLS[protocol], start: opened, reason },
    ...{ client: who.client, server: who.server, type: who.type },
    ...(who.service && { service: who.service }),
    ...(seenAs && { snat: seenAs }),
    state: protocol === 'tcp' ? conntrackState(state) : '',
    ...{ isIncomplete, node: node.name, nodeAddress: node.addressOf(family) },
  }
}

/** Both addresses are in one record: with one of IPv6 it is of IPv6. */
export const familyOf = (source: Endpoint, destination: Endpoint): Family =>
  isIpv4(source) && isIpv4(destination) ? 4 : 6

const isIpv4 = ({ ip }: Endpoint): boolean => !ip.includes(':')
