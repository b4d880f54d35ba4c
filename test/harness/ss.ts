import { inNetns } from './netns.ts'
import { run } from './process.ts'

export interface Endpoint {
  address: string
  port: number
}

/** What ss(8) tells about a TCP socket; times in milliseconds, as it prints them. */
export interface SsSocket {
  state: string
  local: Endpoint
  peer: Endpoint
  /** Hexadecimal socket cookie (`sk:`). */
  cookie: string
  cgroup?: string
  processes: { name: string; pid: number; fd: number }[]
  rttMs?: number
  rttvarMs?: number
  /** Retransmissions since the connection opened: the second number of `retrans:0/3`. */
  retransmits: number
  /** Segments that are taken for lost now: `lost:3`. */
  lost: number
  bytesSent: number
  bytesAcked: number
  bytesReceived: number
  /** Milliseconds with data outstanding, and in it those that the receiver's window and the send buffer limited. */
  busyMs: number
  receiverMs: number
  sndbufMs: number
  minRttMs: number
  /** Bytes a second. */
  deliveryRate: number
  isAppLimited: boolean
  outOfOrder: number
  spurious: number
  dataSegsSent: number
  dataSegsReceived: number
  /** Recv-Q: received and not read; of a listener, not accepted. */
  receiveQueue: number
  /** Send-Q: written and not acknowledged; of a listener, how many may wait. */
  sendQueue: number
  /** Of a listener: connections dropped, `skmem:(…,d3)`. */
  drops: number
}

/**
 * The TCP sockets of a network namespace. `filter` is ss's own language, as separate words: `['state', 'all',
 * 'dport', '=', ':80']`; without it, the connected ones except TIME-WAIT.
 */
export async function ss({ netns, filter = [] }: { netns: string; filter?: readonly string[] }) {
  const command = ['ss', '-tinepmHO', '--cgroup', ...filter]
  const lines = (await run(inNetns(netns, command))).split('\n')
  return lines.filter(line => line.trim()).map(parseSs)
}

/** Datagrams that the UDP sockets of a network namespace had no room for, by local port: `skmem:(…,d15)`. */
export async function udpDrops(netns: string): Promise<ReadonlyMap<number, number>> {
  const lines = (await run(inNetns(netns, ['ss', '-uanmHO']))).split('\n').filter(line => line.trim())
  return new Map(
    lines.map(line => [
      endpoint(line.trim().split(/\s+/)[3] ?? '').port,
      Number(/skmem:\(.*,d(\d+)\)/.exec(line)?.[1]),
    ]),
  )
}

export function parseSs(line: string): SsSocket {
  const [state = '', receiveQueue, sendQueue, local = '', peer = ''] = line.trim().split(/\s+/)
  const cgroup = field(line, 'cgroup')
  const rtt = field(line, 'rtt')?.split('/').map(Number)
  return {
    state,
    local: endpoint(local),
    peer: endpoint(peer),
    cookie: field(line, 'sk') ?? '',
    ...(cgroup !== undefined && { cgroup }),
    processes: [...line.matchAll(/\("([^"]*)",pid=(\d+),fd=(\d+)\)/g)].map(([, name = '', pid, fd]) => ({
      name,
      pid: Number(pid),
      fd: Number(fd),
    })),
    ...(rtt && { rttMs: rtt[0]!, rttvarMs: rtt[1]! }),
    retransmits: Number(field(line, 'retrans')?.split('/')[1] ?? 0),
    lost: Number(field(line, 'lost') ?? 0),
    bytesSent: Number(field(line, 'bytes_sent') ?? 0),
    bytesAcked: Number(field(line, 'bytes_acked') ?? 0),
    bytesReceived: Number(field(line, 'bytes_received') ?? 0),
    busyMs: Number.parseInt(field(line, 'busy') ?? '0', 10),
    receiverMs: Number.parseInt(field(line, 'rwnd_limited') ?? '0', 10),
    sndbufMs: Number.parseInt(field(line, 'sndbuf_limited') ?? '0', 10),
    minRttMs: Number(field(line, 'minrtt') ?? 0),
    deliveryRate: Number(/ delivery_rate (\d+)bps/.exec(line)?.[1] ?? 0) / 8,
    isAppLimited: / app_limited\b/.test(line),
    outOfOrder: Number(field(line, 'rcv_ooopack') ?? 0),
    spurious: Number(field(line, 'dsack_dups') ?? 0),
    dataSegsSent: Number(field(line, 'data_segs_out') ?? 0),
    dataSegsReceived: Number(field(line, 'data_segs_in') ?? 0),
    receiveQueue: Number(receiveQueue),
    sendQueue: Number(sendQueue),
    drops: Number(/skmem:\([^)]*,d(\d+)\)/.exec(line)?.[1] ?? 0),
  }
}

function field(line: string, name: string): string | undefined {
  return new RegExp(`\\s${name}:(\\S+)`).exec(line)?.[1]
}

// `10.0.0.1:80`, `[fe80::1]%eth0:80`, `10.0.0.1%eth0:80`, `*:80`
function endpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':')
  const address = text
    .slice(0, colon)
    .replace(/%.*$/, '')
    .replace(/^\[|\]$/g, '')
  return { address, port: Number(text.slice(colon + 1)) || 0 }
}
