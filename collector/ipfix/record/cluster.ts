/** What a record asks of the cluster; times are milliseconds since the epoch. Without a cluster nobody answers. */

export interface PodNamed {
  readonly namespace: string
  readonly name: string
  readonly node: string
  readonly labels: Readonly<Record<string, string>>
}

export interface ServiceNamed {
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
  nodeByAddress(ip: string, atMs: number): { readonly name: string } | undefined
  nodeByName(name: string): { readonly ips: readonly string[] } | undefined
}

const unknown = () => undefined

export const NO_CLUSTER: ClusterNames = {
  podByAddress: unknown,
  serviceByAddress: unknown,
  nodeByAddress: unknown,
  nodeByName: unknown,
}
