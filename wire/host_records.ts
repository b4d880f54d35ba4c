/** The records of a host and its probe: what is sampled once a window. */

import { type Columns, layoutOf, type RowOf } from './columns.ts'
import type { Layout } from './layout.ts'

const HOST_RECORDS = {
  /** A network interface. All numbers are of the window. */
  iface: {
    rx_bytes: 'u64',
    tx_bytes: 'u64',
    rx_packets: 'u64',
    tx_packets: 'u64',
    rx_errors: 'u64',
    tx_errors: 'u64',
    rx_dropped: 'u64',
    tx_dropped: 'u64',
    ifname: 16, // IFNAMSIZ of if.h
  },
  /** All cores together. Shares of the window's time in 1/100 %, averages of the run queue in 1/100. */
  host_cpu: {
    load: 'u32',
    user: 'u32',
    system: 'u32',
    steal: 'u32',
    load1: 'u32',
    cores: 'u32',
  },
  host_mem: {
    total_bytes: 'u64',
    used_bytes: 'u64',
    available_bytes: 'u64',
    cached_bytes: 'u64',
    swap_total_bytes: 'u64',
    swap_used_bytes: 'u64',
  },
  /** Connections that the kernel tracks for NAT and firewalls, and how many it can; none where it tracks none. */
  host_conntrack: {
    count: 'u64',
    max: 'u64',
  },
  /** The probe itself. Numbers that rise over its run are the window's part of it; the others are as at its end. */
  probe_stats: {
    user_us: 'u64',
    system_us: 'u64',
    rss_bytes: 'u64',
    queue_bytes: 'u64',
    queue_messages: 'u64',
    rows: 'u64',
    messages: 'u64',
    /** Flows whose owner is whoever listened or created the socket: nobody has been seen using it. */
    guessed_flows: 'u64',
    host_failures: 'u64',
    /** Not acknowledged and not lost, and acknowledged: once for each collector that gets every window. */
    queue_windows: 'u64',
    queue_rows: 'u64',
    stored_windows: 'u64',
    stored_rows: 'u64',
    /** Rows of processes in no container, in a network namespace other than the host's. */
    other_netns_rows: 'u64',
    /** On disk, of all collectors; part of what is in the queue. Age of the oldest in seconds. */
    spool_bytes: 'u64',
    spool_windows: 'u64',
    spool_seconds: 'u64',
  },
} as const satisfies Record<string, Columns>

export type HostRecord = keyof typeof HOST_RECORDS
export type HostRow<N extends HostRecord> = RowOf<(typeof HOST_RECORDS)[N]>

export const hostColumns: Readonly<Record<HostRecord, Columns>> = HOST_RECORDS
const layouts = new Map(
  Object.entries(HOST_RECORDS).map(([name, columns]) => [name, layoutOf(name, columns)]),
)
export const hostLayout = (name: HostRecord): Layout => layouts.get(name)!
