/** What the tests of IPFIX give each other: two hosts, each with a pod, and what is told of their conversation. */

import { type ClusterFacts, NO_FACTS } from '../../../collector/cluster/facts.ts'
import type { FlowOptions } from '../../../collector/flows/flows.ts'
import { Aggregator } from '../../../collector/ipfix/follow/aggregator.ts'
import { Exporter } from '../../../collector/ipfix/follow/exporter.ts'
import { Follow } from '../../../collector/ipfix/follow/follow.ts'
import { NodeAddresses } from '../../../collector/ipfix/follow/node_addresses.ts'
import type { Scope } from '../../../collector/ipfix/record/ends.ts'
import type { IpfixRecord } from '../../../collector/ipfix/record/record.ts'
import type { WindowNames } from '../../../wire/message.ts'
import { type Row, Stage } from '../flows/given.ts'

const CONTAINERS = { client: 'a'.repeat(64), web: 'b'.repeat(64) }
export const NAMES: WindowNames = {
  cgroups: { '1:1': CONTAINERS.client, '1:2': CONTAINERS.web },
  containers: {
    [CONTAINERS.client]: { runtime: 'cri', name: 'client', pod: 'u1' },
    [CONTAINERS.web]: { runtime: 'cri', name: 'web', pod: 'u2' },
  },
  pods: {
    u1: { name: 'client-0', namespace: 'default', labels: { app: 'client' } },
    u2: { name: 'web-0', namespace: 'shop' },
  },
  running: [],
  processes: {},
}

/** A connection of the pod client-0 on node-a to the pod web-0 on node-b, behind a Service. */
export const CLIENT: Row = {
  ...{ socket: 7, role: 1, state: 1, family: 2, pid: 6, comm: 'curl', cgroup: 1, hierarchy: 1, netns: 40 },
  ...{ local: '10.10.0.5', local_port: 44752, remote: '10.96.0.10', remote_port: 80 },
  ...{ opened_ns: 2e9, established_ns: 2.001e9, isn_local: 100, isn_remote: 200 },
}
export const SERVER: Row = {
  ...{ socket: 9, role: 2, state: 1, family: 2, pid: 5, comm: 'nginx', cgroup: 2, hierarchy: 1, netns: 50 },
  ...{ local: '10.10.1.7', local_port: 8080, remote: '10.10.0.5', remote_port: 44752 },
  ...{ opened_ns: 2e9, established_ns: 2e9, isn_local: 200, isn_remote: 100 },
}
/** A later row of the same socket. */
export const update = ({ socket, role, cgroup, hierarchy, pid }: Row, more: Row): Row => ({
  ...{ socket: socket!, role: role!, state: 1, cgroup: cgroup!, hierarchy: hierarchy!, pid: pid!, ...more },
})
export const carrying = (bytes_sent: number, segs_sent: number, bytes_rcvd = 0, segs_rcvd = 0) => ({
  ...{ bytes_sent, segs_sent, bytes_rcvd, segs_rcvd },
})

/** What facts of a cluster say of the Service, and of nothing else. */
export const SERVICE: ClusterFacts = {
  ...{ ...NO_FACTS, isKnown: true },
  serviceByAddress: (ip, port) =>
    ip === '10.96.0.10' && port === 80
      ? { namespace: 'shop', name: 'web', uid: '', portName: 'http', port: 80, clusterIP: '10.96.0.10' }
      : undefined,
}

interface ToldOptions {
  readonly cluster?: ClusterFacts
  readonly scope?: Scope
  readonly activeS?: number
  readonly idleS?: number
  readonly flows?: Partial<FlowOptions>
  readonly protocols?: readonly string[]
}

/** A flow stage, and the records of both roles. */
export class Told {
  readonly stage: Stage
  readonly exported: IpfixRecord[] = []
  readonly aggregated: IpfixRecord[] = []
  /** Of an aggregator that joins nothing. */
  readonly proxied: IpfixRecord[] = []
  readonly aggregator: Aggregator

  constructor({
    cluster = NO_FACTS,
    scope = 'pods',
    activeS = 60,
    idleS = 15,
    flows = {},
    protocols = [],
  }: ToldOptions = {}) {
    this.stage = new Stage(1000, { facts: cluster, ...flows })
    const addresses = new NodeAddresses()
    const parts = { scope, addresses }
    this.aggregator = new Aggregator(
      { ...parts, emit: record => this.aggregated.push(record) },
      activeS,
      () => this.stage.now,
    )
    const exporter = new Exporter({ ...parts, emit: record => this.exported.push(record) })
    const proxy = new Exporter({ ...parts, emit: record => this.proxied.push(record) }, 'both')
    const periods = { activeS, idleS }
    this.stage.flows.follow([
      addresses,
      ...[exporter, this.aggregator, proxy].map(teller => new Follow(teller, periods, protocols)),
    ])
  }

  rows(host: string, window: number, record: string, ...rows: Row[]): void {
    this.stage.rows(host, window, record, rows, NAMES)
  }

  /** A window of these hosts ends; the clock goes on by its ten seconds. */
  end(window: number, ...hosts: string[]): void {
    for (const host of hosts) this.stage.end(host, window, NAMES)
    this.stage.now += 10_000
    this.aggregator.tick()
  }

  /** Windows without a row. */
  silence(from: number, to: number, ...hosts: string[]): void {
    for (let window = from; window <= to; window++) this.end(window, ...hosts)
  }
}

/** As the API gives them. */
export const UIDS = {
  client: '11111111-2222-4333-8444-555555555555',
  web: '66666666-7777-4888-9999-aaaaaaaaaaaa',
  nodeA: 'bbbbbbbb-cccc-4ddd-8eee-ffffffffffff',
  nodeB: '00000001-0002-4003-8004-000000000005',
  service: '0a0b0c0d-1a1b-4c1d-9a2b-2c2d3a3b3c3d',
}

/** One of two nodes, complete, with every number another one. */
export const RECORD: IpfixRecord = {
  ...{ family: 4, protocol: 6, start: 1_700_000_000.25, end: 1_700_000_060.75, reason: 2, seconds: 60.5 },
  source: { ip: '10.10.0.5', port: 44752 },
  destination: { ip: '10.10.1.7', port: 8080 },
  total: { packets: 100, bytes: 123_456, revPackets: 90, revBytes: 654_321 },
  since: { packets: 10, bytes: 1234, revPackets: 9, revBytes: 4321 },
  client: {
    ...{ pod: 'client-0', namespace: 'default', node: 'node-a', labels: { app: 'client' } },
    ...{ uid: UIDS.client, nodeUid: UIDS.nodeA },
  },
  server: {
    ...{ pod: 'web-0', namespace: 'shop', node: 'node-b', labels: {} },
    ...{ uid: UIDS.web, nodeUid: UIDS.nodeB },
  },
  service: { name: 'shop/web:http', ip: '10.96.0.10', port: 80, uid: UIDS.service },
  snat: { ip: '10.10.0.1', port: 50_001 },
  ...{ state: 'ESTABLISHED', type: 2, isIncomplete: false, node: 'node-a', nodeAddress: '192.0.2.1' },
  fromSource: {
    total: { packets: 101, bytes: 123_457, revPackets: 91, revBytes: 654_322 },
    since: { packets: 11, bytes: 1235, revPackets: 12, revBytes: 4322 },
    ...{ end: 1_700_000_060, seconds: 60 },
  },
  fromDestination: {
    total: { packets: 102, bytes: 123_458, revPackets: 92, revBytes: 654_323 },
    since: { packets: 13, bytes: 1236, revPackets: 14, revBytes: 4323 },
    ...{ end: 1_700_000_059, seconds: 60 },
  },
}
export const RECORD6: IpfixRecord = {
  ...RECORD,
  ...{ family: 6, nodeAddress: '2001:db8::1' },
  source: { ip: 'fd00:10::5', port: 44752 },
  destination: { ip: 'fd00:10::7', port: 8080 },
  service: { name: 'shop/web:http', ip: 'fd00:2::a', port: 80, uid: UIDS.service },
  snat: { ip: 'fd00:10::1', port: 50_001 },
}
