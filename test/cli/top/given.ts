/** What a collector tells, for the tests of what is shown of it. */

import type { Snapshot } from '../../../cli/top/source.ts'
import type { Conversation, End } from '../../../collector/flows/conversation.ts'
import type { PeerEnd, PeerRow } from '../../../collector/view/peers.ts'
import type { InterfaceRow, TopHost, TopRow } from '../../../collector/view/rows.ts'

export const TIME = 1_700_000_000

export const row = (change: Partial<TopRow> = {}): TopRow => ({
  ...{ id: 'c1', name: 'web', pod: 'front', namespace: 'shop', owner: '', ownerId: '', parts: 1 },
  ...{ asClient: 2, asServer: 14, rtt: 0.1234, rttVariance: 25.06, rttP50: 0.055, rttP95: 8.1, rttP99: 9 },
  ...{ sentPerSecond: 9_300_000, rcvdPerSecond: 700, openedPerSecond: 9, opened: 90, closed: 3, failed: 0 },
  ...{ packetsSent: 1000, retransmits: 2, resets: 0, udpDropped: 0, lostSegments: 0, waiting: 0 },
  trend: [1, 2, 4, 8],
  ...change,
})

/** Without traffic. */
export const quiet = (change: Partial<TopRow> = {}): TopRow =>
  row({
    ...{ sentPerSecond: 0, rcvdPerSecond: 0, openedPerSecond: 0, opened: 0, closed: 0, packetsSent: 0 },
    ...{ retransmits: 0, rtt: null, rttVariance: null, rttP50: null, rttP95: null, rttP99: null },
    trend: [0, 0],
    ...change,
  })

export const onHost = row({ id: '(host)', name: '(host)', pod: '', namespace: '' })

export const iface = (change: Partial<InterfaceRow> = {}): InterfaceRow => ({
  ...{ id: 'eth0', name: 'eth0', sentPerSecond: 2000, rcvdPerSecond: 3000 },
  ...{ packetsSentPerSecond: 4, packetsRcvdPerSecond: 5, errors: 0, dropped: 0, trend: [1] },
  ...change,
})

export function host(change: Partial<TopHost> = {}): TopHost {
  const rows = {
    ...{ containers: [onHost, row()], pods: [row()], namespaces: [row()] },
    ...{ programs: [row({ owner: 'web', ownerId: 'c1' })], processes: [row({ id: '17', owner: 'web' })] },
    ...change,
  }
  return {
    ...{ host: 'node1', time: TIME, interval: 10, partial: false, interfaces: [iface()], flows: 136 },
    ...{ lost: {}, troubles: [] },
    total: {
      containers: rows.containers.length,
      pods: rows.pods.length,
      namespaces: rows.namespaces.length,
      programs: rows.programs.length,
      processes: rows.processes.length,
    },
    ...rows,
  }
}

export const end = (change: Partial<End> = {}): End => ({
  ...{ host: 'node1', netns: 4_026_531_840, socket: '5f', pid: 17, process: 'nginx', container: 'c1' },
  ...{ containerName: 'web', bytesSent: 0, bytesRcvd: 0, retransmits: 0, windowRetransmits: 0, lost: 0 },
  ...change,
})

export const conversation = (change: Partial<Conversation> = {}): Conversation => ({
  ...{ id: 'f1', protocol: 'tcp', reporter: 'client', state: 'ESTABLISHED', opened: TIME - 41, seen: TIME },
  source: { ip: '10.0.0.1', port: 40_000 },
  asked: { ip: '10.0.0.2', port: 8080 },
  client: end({ rttUs: 250, rttVarUs: 100 }),
  total: { bytes: 2000, packets: 4, revBytes: 8000, revPackets: 8 },
  window: { bytes: 1000, packets: 2, revBytes: 5000, revPackets: 4 },
  ...change,
})

export const peerEnd = (change: Partial<PeerEnd> = {}): PeerEnd => ({
  ...{
    name: 'web',
    host: 'node1',
    container: 'c1',
    containerName: 'web',
    pod: '',
    podUid: '',
    namespace: '',
  },
  process: 'nginx',
  ...change,
})

export const peer = (change: Partial<PeerRow> = {}): PeerRow => ({
  ...{ id: 'p1', client: peerEnd(), server: peerEnd({ name: 'db', process: 'postgres', container: 'c2' }) },
  ...{ port: 5432, protocol: 'tcp', flows: 3, waiting: 0, sentPerSecond: 10, rcvdPerSecond: 20 },
  ...{ rtt: 0.5, retransmits: 0 },
  ...change,
})

export const snapshot = (change: Partial<Snapshot> = {}): Snapshot => ({
  hosts: [host()],
  peers: { peers: [peer()], total: 1 },
  ...change,
})
