/** Names and UIDs of what a record is about: which of them it has, and where. */

import type { ElementName } from './elements.ts'

type Names = readonly ElementName[]

/** By what records call things of Kubernetes. */
export interface Identifiers {
  readonly names: boolean
  readonly uids: boolean
}

/** By kind of thing: its names, with the UID that stands behind the last of them. */
const NAMED: readonly { readonly names: Names; readonly uid: ElementName }[] = [
  { names: ['sourcePodName', 'sourcePodNamespace'], uid: 'sourcePodUUID' },
  { names: ['sourceNodeName'], uid: 'sourceNodeUUID' },
  { names: ['destinationPodName', 'destinationPodNamespace'], uid: 'destinationPodUUID' },
  { names: ['destinationNodeName'], uid: 'destinationNodeUUID' },
  { names: ['destinationServicePortName'], uid: 'destinationServiceUUID' },
  {
    names: ['ingressNetworkPolicyName', 'ingressNetworkPolicyNamespace'],
    uid: 'ingressNetworkPolicyUUID',
  },
  { names: ['egressNetworkPolicyName', 'egressNetworkPolicyNamespace'], uid: 'egressNetworkPolicyUUID' },
  { names: ['egressName'], uid: 'egressUUID' },
  { names: ['egressNodeName'], uid: 'egressNodeUUID' },
]
const NAME_ELEMENTS = NAMED.flatMap(({ names }) => names)
const UID_BEHIND = new Map(NAMED.map(({ names, uid }) => [names.at(-1)!, uid]))
/** Of what has neither a name nor a UID they say nothing. */
const RULES: Names = ['ingressNetworkPolicyRuleName', 'egressNetworkPolicyRuleName']

export function identified(all: Names, { names, uids }: Identifiers): Names {
  const out = [...(names ? [] : NAME_ELEMENTS), ...(names || uids ? [] : RULES)]
  return all.flatMap(name => {
    const uid = uids ? UID_BEHIND.get(name) : undefined
    return [...(out.includes(name) ? [] : [name]), ...(uid ? [uid] : [])]
  })
}
