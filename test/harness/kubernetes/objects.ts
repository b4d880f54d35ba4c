/** Objects as the API of Kubernetes has them, with more in them than is kept. */

import type { Thing } from './api_server.ts'

/** RFC 3339 in whole seconds. */
export const at = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

const VERSIONS: Readonly<Record<string, string>> = { Job: 'batch/v1', CronJob: 'batch/v1', Node: 'v1' }
const controller = (kind: string, name: string) => [
  { apiVersion: 'x/v1', kind: 'Other', name: 'not-me', uid: '0', controller: false },
  {
    apiVersion: VERSIONS[kind] ?? 'apps/v1',
    kind,
    name,
    uid: `uid-${name}`,
    controller: true,
    blockOwnerDeletion: true,
  },
]

/** Annotations of what a node makes in the API of a static pod. */
export const mirrorOf = (hash: string) => ({
  'kubernetes.io/config.hash': hash,
  'kubernetes.io/config.mirror': hash,
})

export interface PodGiven {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly ip?: string
  readonly ips?: readonly string[]
  readonly node?: string
  readonly started?: number
  readonly owner?: readonly [kind: string, name: string]
  readonly labels?: Readonly<Record<string, string>>
  readonly phase?: string
  readonly finished?: number
  /** It was asked to end then, and had thirty seconds for it. */
  readonly asked?: number
  readonly hostNetwork?: boolean
  readonly annotations?: Readonly<Record<string, string>>
}

export function pod(given: PodGiven): Thing {
  const { name, namespace = 'default', uid = `uid-${name}`, ip, node = 'node-a', started = 1000 } = given
  const ips = given.ips ?? (ip === undefined ? [] : [ip])
  const terminated = given.finished === undefined ? {} : { terminated: { finishedAt: at(given.finished) } }
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name, namespace, uid, creationTimestamp: at(started) },
      labels: given.labels ?? { app: name },
      ...(given.asked !== undefined && {
        ...{ deletionTimestamp: at(given.asked + 30_000), deletionGracePeriodSeconds: 30 },
      }),
      annotations: given.annotations ?? { 'a/b': 'c' },
      ...(given.owner && { ownerReferences: controller(...given.owner) }),
      managedFields: [{ manager: 'kubelet', fieldsV1: { 'f:status': {} } }],
    },
    spec: {
      ...(node !== '' && { nodeName: node }),
      ...(given.hostNetwork && { hostNetwork: true }),
      containers: [{ name: 'main', image: 'registry/image:1', env: [{ name: 'SECRET', value: 'not kept' }] }],
    },
    status: {
      phase: given.phase ?? 'Running',
      startTime: at(started),
      ...(ips.length > 0 && { podIP: ips[0], podIPs: ips.map(ip => ({ ip })) }),
      containerStatuses: [{ name: 'main', state: terminated }],
    },
  }
}

export const node = (
  name: string,
  ip: string,
  { zone = '', podCIDR = '' }: { readonly zone?: string; readonly podCIDR?: string } = {},
): Thing => ({
  ...{ apiVersion: 'v1', kind: 'Node' },
  metadata: {
    name,
    uid: `uid-${name}`,
    labels: { ...(zone && { 'topology.kubernetes.io/zone': zone }) },
    creationTimestamp: at(1000),
  },
  spec: { ...(podCIDR && { podCIDR, podCIDRs: [podCIDR] }) },
  status: {
    addresses: [
      { type: 'InternalIP', address: ip },
      { type: 'Hostname', address: name },
    ],
  },
})

export interface PortGiven {
  readonly name?: string
  readonly port: number
  readonly protocol?: string
  readonly nodePort?: number
}

export const service = (
  name: string,
  clusterIP: string,
  ports: readonly PortGiven[],
  more: Readonly<Record<string, unknown>> = {},
  namespace = 'default',
): Thing => ({
  ...{ apiVersion: 'v1', kind: 'Service' },
  metadata: { name, namespace, uid: `uid-${name}`, creationTimestamp: at(1000) },
  spec: {
    clusterIP,
    clusterIPs: [clusterIP],
    ports: ports.map(port => ({ protocol: 'TCP', ...port })),
    ...more,
  },
  status: { loadBalancer: (more['loadBalancer'] as object | undefined) ?? {} },
})

export const slice = (
  name: string,
  of: string,
  addresses: readonly string[],
  ports: readonly PortGiven[],
  namespace = 'default',
): Thing => ({
  ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
  metadata: {
    ...{ name, namespace, creationTimestamp: at(1000) },
    labels: { 'kubernetes.io/service-name': of },
  },
  ports: ports.map(port => ({ name: '', protocol: 'TCP', ...port })),
  endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
})

export const owned = (
  kind: 'ReplicaSet' | 'Job',
  name: string,
  owner?: readonly [kind: string, name: string],
  namespace = 'default',
): Thing => ({
  ...{ apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1', kind },
  metadata: { name, namespace, uid: `uid-${name}`, ...(owner && { ownerReferences: controller(...owner) }) },
  spec: { template: { spec: { containers: [] } } },
})

export const namespace = (name: string, labels: Readonly<Record<string, string>> = {}): Thing => ({
  ...{ apiVersion: 'v1', kind: 'Namespace' },
  metadata: { name, labels },
})

export const serviceRange = (cidr: string): Thing => ({
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR' },
  metadata: { name: 'kubernetes' },
  spec: { cidrs: [cidr] },
})
