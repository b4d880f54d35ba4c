/** What a record asks of the cluster; times are milliseconds since the epoch. Without a cluster nobody answers. */

export interface PodNamed {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly node: string
  readonly labels: Readonly<Record<string, string>>
}

export interface NodeNamed {
  readonly name: string
  /** '' where it is not known. */
  readonly uid: string
  readonly ips: readonly string[]
}

export interface ServiceNamed {
  /** '' where it is not known. */
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** '' where the port has no name. */
  readonly portName: string
  readonly port: number
  /** '' for a headless one. */
  readonly clusterIP: string
}

export interface ClusterNames {
  podByAddress(ip: string, atMs: number): PodNamed | undefined
  serviceByAddress(ip: string, port: number, protocol: 'tcp' | 'udp', atMs: number): ServiceNamed | undefined
  nodeByAddress(ip: string, atMs: number): NodeNamed | undefined
  nodeByName(name: string): NodeNamed | undefined
}

const unknown = () => undefined

export const NO_CLUSTER: ClusterNames = {
  podByAddress: unknown,
  serviceByAddress: unknown,
  nodeByAddress: unknown,
  nodeByName: unknown,
}
