import type { Conversation } from '../../flows/conversation.ts'
import type { Family } from '../format/templates.ts'
import type { Counts, Endpoint, IpfixRecord, Place, ServiceAsked } from './record.ts'
import { conntrackState } from './tcp_state.ts'

/** Numbers of protocols: IANA. */
const PROTOCOLS = { tcp: 6, udp: 17 } as const

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
  node: { readonly name: string; readonly addressOf: (family: Family) => string },
  isIncomplete: boolean,
): IpfixRecord {
  const { source, answered, asked, seenAs, protocol, opened, state } = conversation
  const destination = answered ?? asked
  const family = isIpv4(source) && isIpv4(destination) ? 4 : 6
  return {
    ...carrying,
    family,
    ...{ source, destination, protocol: PROTOCOLS[protocol], start: opened, reason },
    ...{ client: who.client, server: who.server, type: who.type },
    ...(who.service && { service: who.service }),
    ...(seenAs && { snat: seenAs }),
    state: protocol === 'tcp' ? conntrackState(state) : '',
    ...{ isIncomplete, node: node.name, nodeAddress: node.addressOf(family) },
  }
}

const isIpv4 = ({ ip }: Endpoint): boolean => !ip.includes(':')
