/** A conversation as it is shown and stored: from client to server, with both ends where both are known. */

import { FLOW_GUESSED, FLOW_OWNERLESS } from '../../wire/records.ts'
import { processCalled, shortId } from '../fold/names.ts'
import { type AskedService, type ClusterEnd, clusterOf, podOf, rangeOf } from './ends/cluster_ends.ts'
import { type Endpoint, endpoint } from './ends/endpoint.ts'
import { MARK, NUMBER, WORD } from './table/columns.ts'
import { endsOf, type FlowStore, protocolOf, stateOf, TCP } from './table/store.ts'

/** What one side has: the process and where it runs, and what its own socket measured. */
export interface End {
  readonly host: string
  /** Of its process: inode of /proc/PID/ns/net. */
  readonly netns: number
  /** `skc_cookie`, what `ss -e` prints after sk:, hexadecimal. */
  readonly socket: string
  readonly pid: number
  /** What people call it: the program, or of an interpreter the script. */
  readonly process: string
  readonly exe?: string
  readonly ppid?: number
  readonly parent?: string
  readonly uid?: number
  /** Of a 64-digit id the first twelve; '' on the host itself. */
  readonly container: string
  readonly containerName?: string
  readonly runtime?: string
  readonly pod?: string
  readonly namespace?: string
  readonly podUid?: string
  readonly labels?: Readonly<Record<string, string>>
  /** Of its pod, where its probe was asked for some. */
  readonly podLabels?: Readonly<Record<string, string>>
  /** The owner is the process that listened: no user was seen yet; or none was seen at all. */
  readonly guessed?: true
  /** Microseconds, smoothed; absent when it took no sample. */
  readonly rttUs?: number
  readonly rttVarUs?: number
  readonly rttMinUs?: number
  readonly rttSamples?: number
  /** Payload that this end sent and received since the start, as it counts. */
  readonly bytesSent: number
  readonly bytesRcvd: number
  /** Segments that it sent again since the start, and in the last window. */
  readonly retransmits: number
  readonly windowRetransmits: number
  /** Segments that it takes for lost now. */
  readonly lost: number
}

/** Payload, and TCP segments or datagrams. */
export interface Carried {
  readonly bytes: number
  readonly packets: number
  /** From server to client. */
  readonly revBytes: number
  readonly revPackets: number
}

export interface Conversation {
  /** Stays the same for its life, also when the collector starts again: boot id and socket of one of its ends. */
  readonly id: string
  readonly protocol: 'tcp' | 'udp'
  /** Whether both ends are known, or the one that is. */
  readonly reporter: 'both' | 'client' | 'server'
  /** The client's address, as its own socket says it; else as the server sees it. */
  readonly source: Endpoint
  /** The address that the client asked for; of a conversation whose client is unknown, that of the server. */
  readonly asked: Endpoint
  /** The address that answered: the server's own; absent when the server is unknown. */
  readonly answered?: Endpoint
  /** The client's address as the server sees it, when that is another: it was masqueraded. */
  readonly seenAs?: Endpoint
  readonly client?: End
  readonly server?: End
  /** What the cluster's facts say of either end; the only names of one that no probe watches. */
  readonly clientCluster?: ClusterEnd
  readonly serverCluster?: ClusterEnd
  readonly service?: AskedService
  /** Names of the address ranges of either end, also of one that is unknown. */
  readonly clientSubnet?: string
  readonly serverSubnet?: string
  /** `ESTABLISHED`, …: of the client's end or, without one, of the server's; `CLOSE` when it has ended. */
  readonly state: string
  /** Seconds since the epoch. */
  readonly opened: number
  readonly closed?: number
  /** From SYN to established, microseconds. */
  readonly connectUs?: number
  readonly total: Carried
  /** In the last window of its host; a window that goes on counts as far as it has come. */
  readonly window: Carried
  /** End of the last window that had it, seconds since the epoch. */
  readonly seen: number
  /** It began before it was watched: the totals are those since then. */
  readonly partial?: true
  /** Its probe is gone: nobody sees its end. */
  readonly abandoned?: true
  /** Its pair of sequence numbers belongs to more than two sockets: the ends are not joined. */
  readonly ambiguous?: true
  /** UDP: its receiver never asked who had sent, so that the peer of that end is not known. */
  readonly unnamed?: true
}

/** `tcp_states.h`, by number. */
export const STATES = [
  '',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
] as const

/** @param flow either of its flows */
export function conversationOf(store: FlowStore, flow: number): Conversation {
  const { table } = store
  const { client, server } = endsOf(store, flow)
  const lead = client || server
  const kind = table.word(lead, WORD.KIND)
  const source = client ? endpoint(store, client, 'local') : endpoint(store, server, 'remote')
  const asked = client ? endpoint(store, client, 'remote') : endpoint(store, server, 'local')
  const answered = server ? endpoint(store, server, 'local') : undefined
  const seenAs = client && server ? endpoint(store, server, 'remote') : undefined
  const run = store.runOf(lead)
  const offset = run.offsetMs ?? Date.now() - performance.now()
  const [openedMs, closedMs] = [table.number(lead, NUMBER.OPENED), table.number(lead, NUMBER.CLOSED)]
  const connect = client ? table.word(client, WORD.CONNECT) : 0
  const has = (mark: number) => [client, server].some(one => one !== 0 && store.isMarked(one, mark))
  return {
    id: idOf(store, lead),
    protocol: protocolOf(kind) === TCP ? 'tcp' : 'udp',
    reporter: client && server ? 'both' : client ? 'client' : 'server',
    source,
    asked,
    ...(answered && { answered }),
    ...(seenAs && !isSame(seenAs, source) && { seenAs }),
    ...(client !== 0 && { client: endOf(store, client) }),
    ...(server !== 0 && { server: endOf(store, server) }),
    ...clusterOf(store, client, server, openedMs + offset),
    ...named('clientSubnet', rangeOf(store, source.ip, openedMs + offset)),
    ...named('serverSubnet', rangeOf(store, answered?.ip ?? asked.ip, openedMs + offset)),
    state: STATES[stateOf(kind)] ?? '',
    opened: (openedMs + offset) / 1000,
    ...(closedMs !== 0 && !has(MARK.ABANDONED) && { closed: (closedMs + offset) / 1000 }),
    ...(connect !== 0 && { connectUs: connect }),
    total: carried(store, client, server, TOTAL),
    window: carried(store, client, server, IN_WINDOW),
    seen: run.time - Math.max(0, run.window + 1 - table.word(lead, WORD.WINDOW)) * run.interval,
    ...(has(MARK.PARTIAL) && { partial: true as const }),
    ...(has(MARK.ABANDONED) && { abandoned: true as const }),
    ...(has(MARK.UNNAMED) && { unnamed: true as const }),
    ...(has(MARK.AMBIGUOUS) && { ambiguous: true as const }),
  }
}

/** Payload, and TCP segments or datagrams, of one end. */
interface Sums {
  readonly bytesSent: number
  readonly bytesRcvd: number
  readonly sent: number
  readonly rcvd: number
}
export type SumsOf = (store: FlowStore, flow: number) => Sums

export const TOTAL: SumsOf = ({ table }, flow) => ({
  bytesSent: table.number(flow, NUMBER.BYTES_SENT),
  bytesRcvd: table.number(flow, NUMBER.BYTES_RCVD),
  sent: table.number(flow, NUMBER.PACKETS_SENT),
  rcvd: table.number(flow, NUMBER.PACKETS_RCVD),
})
const NOTHING: Sums = { bytesSent: 0, bytesRcvd: 0, sent: 0, rcvd: 0 }
export const IN_WINDOW: SumsOf = (store, flow) =>
  store.isRecent(flow)
    ? {
        bytesSent: store.table.number(flow, NUMBER.WINDOW_BYTES_SENT),
        bytesRcvd: store.table.number(flow, NUMBER.WINDOW_BYTES_RCVD),
        sent: store.table.word(flow, WORD.WINDOW_SENT),
        rcvd: store.table.word(flow, WORD.WINDOW_RCVD),
      }
    : NOTHING

/**
 * Each direction as its sender counted it, where the sender is known. Since the start, the receiver's count is taken where the sender
 * was watched from later on, and has less.
 */
export function carried(store: FlowStore, client: number, server: number, sumsOf: SumsOf): Carried {
  const [from, to] = [sumsOf(store, client || server), sumsOf(store, server || client)]
  const isLate = (flow: number) =>
    sumsOf === TOTAL && client !== 0 && server !== 0 && store.isMarked(flow, MARK.PARTIAL)
  const [least, leastBack] = [isLate(client) ? to : NOTHING, isLate(server) ? from : NOTHING]
  return {
    bytes: Math.max(client ? from.bytesSent : from.bytesRcvd, least.bytesRcvd),
    packets: Math.max(client ? from.sent : from.rcvd, least.rcvd),
    revBytes: Math.max(server ? to.bytesSent : to.bytesRcvd, leastBack.bytesRcvd),
    revPackets: Math.max(server ? to.sent : to.rcvd, leastBack.rcvd),
  }
}

const isSame = (a: Endpoint, b: Endpoint): boolean => a.ip === b.ip && a.port === b.port

const named = <N extends string>(name: N, text: string): { [K in N]?: string } =>
  (text === '' ? {} : { [name]: text }) as { [K in N]?: string }

function idOf(store: FlowStore, flow: number): string {
  const { table } = store
  const opened = Math.round(table.number(flow, NUMBER.OPENED) * 1000).toString(36)
  const socket = `${store.runOf(flow).identity.boot}:${socketText(store, flow)}:${opened}`
  if (protocolOf(table.word(flow, WORD.KIND)) === TCP) return socket
  const { ip, port } = endpoint(store, flow, 'remote')
  return `${socket}:${ip}:${port}`
}

const socketText = ({ table }: FlowStore, flow: number): string =>
  (table.word(flow, WORD.SOCKET_HIGH) * 4294967296 + table.word(flow, WORD.SOCKET)).toString(16)

/** What an end is called. */
export type Called = Pick<End, 'host' | 'process' | 'container' | 'containerName' | 'pod' | 'namespace'>

export function calledOf(store: FlowStore, flow: number): Called {
  const { table, facts } = store
  const pid = table.word(flow, WORD.PID)
  const program = store.programs.get(table.word(flow, WORD.PROGRAM))
  const place = store.places.get(table.word(flow, WORD.PLACE))
  const pod = place && podOf(store, place)
  return {
    host: store.runOf(flow).host,
    process: processCalled(pid, program?.comm ?? '', program?.name),
    container: place ? shortId(place.id) : '',
    ...(place && { containerName: place.name.name ?? facts.containerName(place.id) ?? '' }),
    ...(place?.name.pod !== undefined && { pod: pod?.name ?? '', namespace: pod?.namespace ?? '' }),
  }
}

function endOf(store: FlowStore, flow: number): End {
  const { table } = store
  const program = store.programs.get(table.word(flow, WORD.PROGRAM))
  const place = store.places.get(table.word(flow, WORD.PLACE))
  const rtt = table.word(flow, WORD.RTT)
  const samples = table.word(flow, WORD.RTT_SAMPLES)
  return {
    ...calledOf(store, flow),
    netns: table.word(flow, WORD.NETNS),
    socket: socketText(store, flow),
    pid: table.word(flow, WORD.PID),
    ...(program?.name && {
      exe: program.name.exe,
      ppid: program.name.parent,
      parent: program.name.parent_comm,
      uid: program.name.uid,
    }),
    ...(place && { runtime: place.name.runtime }),
    ...(place?.name.labels && { labels: place.name.labels }),
    ...(place?.pod?.labels && { podLabels: place.pod.labels }),
    ...(place?.name.pod !== undefined && { podUid: place.name.pod }),
    ...(store.isMarked(flow, FLOW_GUESSED | FLOW_OWNERLESS) && { guessed: true as const }),
    ...(rtt !== 0 && { rttUs: rtt, rttVarUs: table.word(flow, WORD.RTT_VAR) }),
    ...(samples !== 0 && { rttMinUs: table.word(flow, WORD.RTT_MIN), rttSamples: samples }),
    bytesSent: table.number(flow, NUMBER.BYTES_SENT),
    bytesRcvd: table.number(flow, NUMBER.BYTES_RCVD),
    retransmits: table.word(flow, WORD.RESENT),
    windowRetransmits: store.isRecent(flow) ? table.word(flow, WORD.WINDOW_RESENT) : 0,
    lost: table.word(flow, WORD.LOST),
  }
}
