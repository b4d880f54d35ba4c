/** The kinds of objects that facts come from. */

import type { Json } from './json.ts'
import {
  type NamespaceObject,
  type NodeObject,
  namespaceOf,
  nodeOf,
  type OwnedObject,
  ownedOf,
  type PodObject,
  podOf,
  type RangesObject,
  rangesOf,
  type ServiceObject,
  type SliceObject,
  serviceOf,
  sliceOf,
} from './objects.ts'

/** What is kept of an object of each kind. */
export interface Objects {
  Namespace: NamespaceObject
  Node: NodeObject
  Pod: PodObject
  Service: ServiceObject
  EndpointSlice: SliceObject
  ReplicaSet: OwnedObject
  Job: OwnedObject
  ServiceCIDR: RangesObject
}
export type Kind = keyof Objects

interface Row<K extends Kind> {
  readonly group: string
  readonly resource: string
  readonly read: (object: Json) => Objects[K]
  /** Objects that are kept at once. */
  readonly most: number
  /** Its metadata is all that is asked for. */
  readonly isMetadata?: true
  /** An older API server does not have it. */
  readonly isOptional?: true
  /** What is not known without it. */
  readonly gives: string
}

/** In the order in which they are read from files: what others refer to comes first. */
export const KINDS: { readonly [K in Kind]: Row<K> } = {
  Namespace: {
    ...{ group: 'v1', resource: 'namespaces', read: namespaceOf, most: 65_536, isMetadata: true },
    gives: 'labels of namespaces',
  },
  Node: { group: 'v1', resource: 'nodes', read: nodeOf, most: 16_384, gives: 'names and zones of nodes' },
  ReplicaSet: {
    ...{ group: 'apps/v1', resource: 'replicasets', read: ownedOf, most: 524_288, isMetadata: true },
    gives: 'what made a ReplicaSet, where its name does not tell',
  },
  Job: {
    ...{ group: 'batch/v1', resource: 'jobs', read: ownedOf, most: 262_144, isMetadata: true },
    gives: 'the CronJob of a Job',
  },
  Pod: { group: 'v1', resource: 'pods', read: podOf, most: 262_144, gives: 'names of pods' },
  Service: { group: 'v1', resource: 'services', read: serviceOf, most: 65_536, gives: 'names of Services' },
  EndpointSlice: {
    ...{ group: 'discovery.k8s.io/v1', resource: 'endpointslices', read: sliceOf, most: 131_072 },
    gives: 'the Service that a pod answers for',
  },
  ServiceCIDR: {
    ...{
      group: 'networking.k8s.io/v1',
      resource: 'servicecidrs',
      read: rangesOf,
      most: 256,
      isOptional: true,
    },
    gives: 'the range of addresses of Services',
  },
}

export const KIND_NAMES = Object.keys(KINDS) as Kind[]
export const isKind = (kind: unknown): kind is Kind => KIND_NAMES.some(name => name === kind)
