/**
 * What the cluster says of addresses and names, as of a moment: pods come and go, and their addresses with them. Addresses are
 * as `wire/address_text.ts` writes them, times are milliseconds since the epoch.
 *
 * A collector without a cluster has `NO_FACTS`: nothing is known.
 */

/** What made a pod: of a ReplicaSet its Deployment, of a Job its CronJob; a pod that nothing made is its own. */
export interface Workload {
  readonly kind: string
  readonly name: string
}

export interface PodFact {
  /** As its containers have it: of a static pod, the one that its node gave it. */
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** '' while it has none. */
  readonly node: string
  /** `topology.kubernetes.io/zone` of its node; '' where it has none. */
  readonly zone: string
  readonly workload: Workload
  readonly labels: Readonly<Record<string, string>>
}

export interface NodeFact {
  /** '' where it is not known. */
  readonly uid: string
  readonly name: string
  readonly zone: string
  /** By which other nodes know it. */
  readonly ips: readonly string[]
}

export interface NamespaceFact {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** One port of a Service. */
export interface ServiceFact {
  readonly namespace: string
  readonly name: string
  /** '' where it has no name, which a Service with one port need not have. */
  readonly portName: string
  readonly port: number
  /** Of the Service; '' where it is not known. */
  readonly uid: string
  /** '' for a headless one. Of a Service with two families: that of the address asked for. */
  readonly clusterIP: string
}

export type Protocol = 'tcp' | 'udp'

/** As FlowMetrics call what they detect. */
export type RangeName = 'Pods' | 'Services' | 'Machines'

export interface ClusterFacts {
  /** There is a source of facts, whether or not it has answered yet. */
  readonly isKnown: boolean
  /** Whose address it was. Pods on the network of their node have its addresses, which do not say whose a flow is: none of them is found. */
  podByAddress(ip: string, atMs: number): PodFact | undefined
  podByUid(uid: string): PodFact | undefined
  /** What a container of a pod is called there. */
  containerName(id: string): string | undefined
  /** By what clients ask for: a cluster IP, an external one, one of a load balancer, or a node's with a node port. */
  serviceByAddress(ip: string, port: number, protocol: Protocol, atMs: number): ServiceFact | undefined
  /**
   * By a pod that answers for it. Several Services may have the same pods: then none can be told, and this is undefined. Of several
   * ports of one Service that lead to the same of the pod, it is the first.
   */
  serviceByEndpoint(ip: string, port: number, protocol: Protocol, atMs: number): ServiceFact | undefined
  /** Some pod with an address of its own answers for this Service; true also while nobody is known to. */
  answeredByPods(namespace: string, service: string): boolean
  nodeByAddress(ip: string, atMs: number): NodeFact | undefined
  nodeByName(name: string): NodeFact | undefined
  namespaceByName(name: string): NamespaceFact | undefined
  /** Which of the cluster's own addresses it is one of: by the ranges of its nodes and Services, else by who has it. */
  rangeOf(ip: string, atMs: number): RangeName | ''
}

const unknown = () => undefined

export const NO_FACTS: ClusterFacts = {
  isKnown: false,
  podByAddress: unknown,
  podByUid: unknown,
  containerName: unknown,
  serviceByAddress: unknown,
  serviceByEndpoint: unknown,
  answeredByPods: () => true,
  nodeByAddress: unknown,
  nodeByName: unknown,
  namespaceByName: unknown,
  rangeOf: () => '',
}
