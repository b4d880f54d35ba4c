/** A record of a conversation as a row: the columns of the table `flows`, and of the lines of JSON. */

import { type Measurement, Samples, type Tags } from '../batch.ts'
import type { Carried, Conversation, End } from './conversation.ts'
import type { ClusterEnd } from './ends/cluster_ends.ts'

export interface FlowRecord {
  readonly conversation: Conversation
  /** `end`: it has ended; `active`: it goes on, with what it carried since its last record; `gone`: its probe is. */
  readonly reason: 'end' | 'active' | 'gone'
  /** Since its last record. */
  readonly since: Carried
}

interface Text {
  readonly name: string
  readonly help: string
  readonly text: (record: FlowRecord) => string | undefined
}
interface Figure {
  readonly name: string
  readonly help: string
  readonly number: (record: FlowRecord) => number | undefined
}

const of =
  <T>(read: (conversation: Conversation) => T) =>
  (record: FlowRecord) =>
    read(record.conversation)

type Side = 'client' | 'server'
const text =
  (side: Side) =>
  (name: string, help: string, read: (end: End) => string | undefined): Text => ({
    name: `${side}_${name}`,
    help: `${help} of the ${side}`,
    text: of(conversation => {
      const end = conversation[side]
      return end && read(end)
    }),
  })
const figure =
  (side: Side) =>
  (name: string, help: string, read: (end: End) => number | undefined): Figure => ({
    name: `${side}_${name}`,
    help: `${help} of the ${side}`,
    number: of(conversation => {
      const end = conversation[side]
      return end && read(end)
    }),
  })

/** What the cluster's facts say, also of an end that no probe watches. */
const fact =
  (side: Side) =>
  (
    name: string,
    help: string,
    read: (cluster: ClusterEnd) => string | undefined,
    watched: (end: End) => string | undefined = () => undefined,
  ): Text => ({
    name: `${side}_${name}`,
    help: `${help} of the ${side}`,
    text: of(({ [side]: end, [`${side}Cluster` as const]: cluster }) => {
      return (end && watched(end)) || (cluster && read(cluster)) || undefined
    }),
  })
const ofPod =
  (read: (cluster: ClusterEnd) => string | undefined) =>
  (cluster: ClusterEnd): string | undefined =>
    cluster.kind === 'pod' ? read(cluster) : undefined

const textsOf = (side: Side): Text[] => {
  const of = text(side)
  const known = fact(side)
  return [
    of('host', 'host', end => end.host),
    of('socket', 'cookie of the socket, hexadecimal,', end => end.socket),
    of('process', 'process name', end => end.process),
    of('exe', 'path of the program', end => end.exe),
    of('parent', "name of the process' parent", end => end.parent),
    of('container', 'container: the first twelve digits of its id', end => end.container),
    of('container_name', 'container name', end => end.containerName),
    of('runtime', 'container runtime', end => end.runtime),
    known(
      'pod',
      'pod',
      ofPod(({ name }) => name),
      end => end.pod,
    ),
    known(
      'namespace',
      'namespace of the pod',
      ofPod(({ namespace }) => namespace),
      end => end.namespace,
    ),
    known(
      'pod_uid',
      'UID of the pod',
      ofPod(({ podUid }) => podUid),
      end => end.podUid,
    ),
    known('kind', 'what the cluster says that it is: `pod`, `service`, `node`,', ({ kind }) => kind),
    known('owner_kind', 'kind of what made the pod: `Deployment`, …,', ({ ownerKind }) => ownerKind),
    known('owner_name', 'name of what made the pod', ({ ownerName }) => ownerName),
    known('node', 'node', ({ node }) => node),
    known('zone', 'zone of the node', ({ zone }) => zone),
  ]
}
const figuresOf = (side: Side): Figure[] => {
  const of = figure(side)
  return [
    of('pid', 'process id', end => end.pid),
    of('ppid', "process id of the process' parent", end => end.ppid),
    of('uid', 'user id', end => end.uid),
    of('netns', 'network namespace (inode)', end => end.netns),
    of('rtt_us', 'smoothed round trip, microseconds,', end => end.rttUs),
    of('rtt_var_us', 'mean deviation of the round trip, microseconds,', end => end.rttVarUs),
    of('rtt_min_us', 'shortest round trip, microseconds,', end => end.rttMinUs),
    of('rtt_samples', 'measured round trips', end => end.rttSamples),
    of('bytes_sent', 'payload sent, since the start, as the socket counts it,', end => end.bytesSent),
    of('bytes_rcvd', 'payload received, since the start, as the socket counts it,', end => end.bytesRcvd),
    of('retransmits', 'segments sent again, of the socket', end => end.retransmits),
  ]
}

export const TEXTS: readonly Text[] = [
  {
    name: 'id',
    help: 'of the conversation: the same in all its records, also after a restart',
    text: of(({ id }) => id),
  },
  {
    name: 'reason',
    help: 'of the record: `end`, `active` (it goes on), `gone` (its probe is)',
    text: ({ reason }) => reason,
  },
  { name: 'protocol', help: '`tcp` or `udp`', text: of(({ protocol }) => protocol) },
  {
    name: 'reporter',
    help: 'which ends are known: `both`, `client`, `server`',
    text: of(({ reporter }) => reporter),
  },
  { name: 'state', help: 'TCP state of the client, else of the server', text: of(({ state }) => state) },
  { name: 'source_ip', help: "the client's address", text: of(({ source }) => source.ip) },
  { name: 'asked_ip', help: 'the address that the client asked for', text: of(({ asked }) => asked.ip) },
  {
    name: 'answered_ip',
    help: 'the address that answered: of a pod behind a Service, the pod',
    text: of(({ answered }) => answered?.ip),
  },
  {
    name: 'seen_ip',
    help: "the client's address as the server sees it, where that is another",
    text: of(({ seenAs }) => seenAs?.ip),
  },
  {
    name: 'marks',
    help: 'what is special: `partial`, `ambiguous`, `unnamed`, with commas',
    text: of(marksOf),
  },
  {
    name: 'client_subnet',
    help: "name of the range of the client's address",
    text: of(({ clientSubnet }) => clientSubnet),
  },
  {
    name: 'server_subnet',
    help: "name of the range of the server's address",
    text: of(({ serverSubnet }) => serverSubnet),
  },
  ...textsOf('client'),
  ...textsOf('server'),
  { name: 'service', help: 'Service that the client asked for', text: of(({ service }) => service?.name) },
  {
    name: 'service_namespace',
    help: 'namespace of the Service',
    text: of(({ service }) => service?.namespace),
  },
  {
    name: 'service_port',
    help: 'port of the Service: its name, else its number',
    text: of(({ service }) => service && (service.portName || String(service.port))),
  },
  {
    name: 'service_by',
    help: 'how it is known: `address`, that the client asked for, or `endpoint`: the pod answers for this Service alone, and may have been asked itself',
    text: of(({ service }) => service?.by),
  },
]

export const FIGURES: readonly Figure[] = [
  { name: 'source_port', help: "the client's port", number: of(({ source }) => source.port) },
  { name: 'asked_port', help: 'the port that the client asked for', number: of(({ asked }) => asked.port) },
  { name: 'answered_port', help: 'the port that answered', number: of(({ answered }) => answered?.port) },
  {
    name: 'seen_port',
    help: "the client's port as the server sees it",
    number: of(({ seenAs }) => seenAs?.port),
  },
  { name: 'opened', help: 'seconds since the epoch', number: of(({ opened }) => opened) },
  { name: 'closed', help: 'seconds since the epoch', number: of(({ closed }) => closed) },
  {
    name: 'connect_us',
    help: 'from SYN to established, microseconds',
    number: of(({ connectUs }) => connectUs),
  },
  {
    name: 'bytes',
    help: 'payload from client to server, since the start',
    number: of(({ total }) => total.bytes),
  },
  { name: 'packets', help: 'TCP segments or datagrams', number: of(({ total }) => total.packets) },
  { name: 'rev_bytes', help: 'payload from server to client', number: of(({ total }) => total.revBytes) },
  { name: 'rev_packets', help: 'TCP segments or datagrams', number: of(({ total }) => total.revPackets) },
  { name: 'delta_bytes', help: 'since its last record', number: ({ since }) => since.bytes },
  { name: 'delta_packets', help: 'since its last record', number: ({ since }) => since.packets },
  { name: 'delta_rev_bytes', help: 'since its last record', number: ({ since }) => since.revBytes },
  { name: 'delta_rev_packets', help: 'since its last record', number: ({ since }) => since.revPackets },
  ...figuresOf('client'),
  ...figuresOf('server'),
]

function marksOf({ partial, ambiguous, unnamed }: Conversation): string | undefined {
  const marks = Object.entries({ partial, ambiguous, unnamed }).flatMap(([name, is]) => (is ? [name] : []))
  return marks.length > 0 ? marks.join(',') : undefined
}

/** As a table of a store. Its name has no colon: it is no measurement of the catalogue. */
export const FLOWS: Measurement = { name: 'flows', fields: FIGURES.map(({ name }) => name) }

export function samplesOf(records: readonly FlowRecord[]): Samples {
  const tags = records.map((record): Tags => {
    const found: Record<string, string> = {}
    // all of them, so that a table has every column from its first record on
    for (const { name, text } of TEXTS) found[name] = text(record) ?? ''
    return found
  })
  const values = records.flatMap(record => FIGURES.map(({ number }) => number(record) ?? Number.NaN))
  return new Samples(FLOWS, tags, values)
}
