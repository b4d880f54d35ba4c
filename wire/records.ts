// Generated from the BTF of probe.bpf.o by probe/bpf/generate.ts: change the C headers instead.

type Bytes = Uint8Array

/** `struct tcp_flow` in probe/bpf. */
export interface TcpFlow {
  /** socket_id_t */
  readonly socket: number
  /** cgroup_id_t */
  readonly cgroup: number
  /** boot_ns_t */
  readonly opened_ns: number
  /** boot_ns_t */
  readonly established_ns: number
  /** comm_t, 16 bytes */
  readonly comm: Bytes
  /** hierarchy_t */
  readonly hierarchy: number
  /** process_id_t */
  readonly pid: number
  /** netns_id_t */
  readonly netns: number
  /** port_t */
  readonly local_port: number
  /** port_t */
  readonly remote_port: number
  /** u8 */
  readonly family: number
  /** u8 */
  readonly role: number
  /** u8 */
  readonly state: number
  /** flow_flags_t */
  readonly flags: number
  /** usec_t */
  readonly rtt_us: number
  /** usec_t */
  readonly rtt_var_us: number
  /** delta_segments_t */
  readonly segs_sent: number
  /** delta_segments_t */
  readonly segs_rcvd: number
  /** delta_segments_t */
  readonly segs_resent: number
  /** delta_bytes_t */
  readonly bytes_sent: number
  /** delta_bytes_t */
  readonly bytes_rcvd: number
  /** boot_ns_t */
  readonly closed_ns: number
  /** boot_ns_t */
  readonly reported_ns: number
  /** u64 */
  readonly rtt_sum_us: number
  /** samples_t */
  readonly rtt_samples: number
  /** usec_t */
  readonly rtt_min_us: number
  /** usec_t */
  readonly rtt_max_us: number
  /** address_t, 16 bytes */
  readonly local: Bytes
  /** address_t, 16 bytes */
  readonly remote: Bytes
  /** u32 */
  readonly isn_local: number
  /** u32 */
  readonly isn_remote: number
  /** level_segments_t */
  readonly lost_segments: number
  /** delta_segments_t */
  readonly data_segs_sent: number
  /** delta_segments_t */
  readonly data_segs_rcvd: number
  /** delta_usec_t */
  readonly busy_us: number
  /** usec_t */
  readonly min_rtt_us: number
  /** u8 */
  readonly known: number
  /** u8 */
  readonly error: number
  /** bytes, 6 bytes */
  readonly pad: Bytes
}

/** Columns of `tcp_flow`. */
export const TCP_FLOW = {
  socket: 'u64',
  cgroup: 'u64',
  bytes_sent: 'u64',
  bytes_rcvd: 'u64',
  comm: 16,
  hierarchy: 'u32',
  pid: 'u32',
  netns: 'u32',
  rtt_us: 'u32',
  rtt_var_us: 'u32',
  segs_sent: 'u32',
  segs_rcvd: 'u32',
  segs_resent: 'u32',
  lost_segments: 'u32',
  data_segs_sent: 'u32',
  data_segs_rcvd: 'u32',
  busy_us: 'u32',
  min_rtt_us: 'u32',
  role: 'u8',
  state: 'u8',
  flags: 'u8',
  known: 'u8',
  opened_ns: 'u64',
  established_ns: 'u64',
  local_port: 'u16',
  remote_port: 'u16',
  family: 'u8',
  closed_ns: 'u64',
  reported_ns: 'u64',
  rtt_sum_us: 'u64',
  rtt_samples: 'u32',
  rtt_min_us: 'u32',
  rtt_max_us: 'u32',
  local: 16,
  remote: 16,
  isn_local: 'u32',
  isn_remote: 'u32',
  error: 'u8',
} as const

/** `struct tcp_update` in probe/bpf. */
export interface TcpUpdate {
  /** socket_id_t */
  readonly socket: number
  /** cgroup_id_t */
  readonly cgroup: number
  /** delta_bytes_t */
  readonly bytes_sent: number
  /** delta_bytes_t */
  readonly bytes_rcvd: number
  /** comm_t, 16 bytes */
  readonly comm: Bytes
  /** hierarchy_t */
  readonly hierarchy: number
  /** process_id_t */
  readonly pid: number
  /** netns_id_t */
  readonly netns: number
  /** usec_t */
  readonly rtt_us: number
  /** usec_t */
  readonly rtt_var_us: number
  /** delta_segments_t */
  readonly segs_sent: number
  /** delta_segments_t */
  readonly segs_rcvd: number
  /** delta_segments_t */
  readonly segs_resent: number
  /** level_segments_t */
  readonly lost_segments: number
  /** delta_segments_t */
  readonly data_segs_sent: number
  /** delta_segments_t */
  readonly data_segs_rcvd: number
  /** delta_usec_t */
  readonly busy_us: number
  /** usec_t */
  readonly min_rtt_us: number
  /** u8 */
  readonly role: number
  /** u8 */
  readonly state: number
  /** flow_flags_t */
  readonly flags: number
  /** u8 */
  readonly known: number
}

/** Columns of `tcp_update`. */
export const TCP_UPDATE = {
  socket: 'u64',
  cgroup: 'u64',
  bytes_sent: 'u64',
  bytes_rcvd: 'u64',
  comm: 16,
  hierarchy: 'u32',
  pid: 'u32',
  netns: 'u32',
  rtt_us: 'u32',
  rtt_var_us: 'u32',
  segs_sent: 'u32',
  segs_rcvd: 'u32',
  segs_resent: 'u32',
  lost_segments: 'u32',
  data_segs_sent: 'u32',
  data_segs_rcvd: 'u32',
  busy_us: 'u32',
  min_rtt_us: 'u32',
  role: 'u8',
  state: 'u8',
  flags: 'u8',
  known: 'u8',
} as const

/** `struct tcp_health` in probe/bpf. */
export interface TcpHealth {
  /** socket_id_t */
  readonly socket: number
  /** cgroup_id_t */
  readonly cgroup: number
  /** boot_ns_t */
  readonly opened_ns: number
  /** boot_ns_t */
  readonly closed_ns: number
  /** boot_ns_t */
  readonly reported_ns: number
  /** u64 */
  readonly delivery_rate: number
  /** comm_t, 16 bytes */
  readonly comm: Bytes
  /** hierarchy_t */
  readonly hierarchy: number
  /** process_id_t */
  readonly pid: number
  /** netns_id_t */
  readonly netns: number
  /** delta_usec_t */
  readonly receiver_us: number
  /** delta_usec_t */
  readonly sndbuf_us: number
  /** delta_usec_t */
  readonly stalled_us: number
  /** delta_timeouts_t */
  readonly timeouts: number
  /** delta_timeouts_t */
  readonly recoveries: number
  /** delta_segments_t */
  readonly syn_resent: number
  /** delta_segments_t */
  readonly spurious: number
  /** delta_segments_t */
  readonly out_of_order: number
  /** delta_segments_t */
  readonly ecn_marks: number
  /** level_flows_t */
  readonly syn_waiting: number
  /** peak_usec_t */
  readonly syn_waiting_us: number
  /** level_bytes_t */
  readonly in_flight: number
  /** level_bytes_t */
  readonly unsent: number
  /** level_bytes_t */
  readonly unread: number
  /** u8 */
  readonly role: number
  /** u8 */
  readonly app_limited: number
  /** bytes, 6 bytes */
  readonly pad: Bytes
}

/** Columns of `tcp_health`. */
export const TCP_HEALTH = {
  socket: 'u64',
  cgroup: 'u64',
  opened_ns: 'u64',
  closed_ns: 'u64',
  reported_ns: 'u64',
  delivery_rate: 'u64',
  comm: 16,
  hierarchy: 'u32',
  pid: 'u32',
  netns: 'u32',
  receiver_us: 'u32',
  sndbuf_us: 'u32',
  stalled_us: 'u32',
  timeouts: 'u32',
  recoveries: 'u32',
  syn_resent: 'u32',
  spurious: 'u32',
  out_of_order: 'u32',
  ecn_marks: 'u32',
  syn_waiting: 'u32',
  syn_waiting_us: 'u32',
  in_flight: 'u32',
  unsent: 'u32',
  unread: 'u32',
  role: 'u8',
  app_limited: 'u8',
} as const

/** `struct tcp_listen` in probe/bpf. */
export interface TcpListen {
  /** socket_id_t */
  readonly socket: number
  /** cgroup_id_t */
  readonly cgroup: number
  /** comm_t, 16 bytes */
  readonly comm: Bytes
  /** hierarchy_t */
  readonly hierarchy: number
  /** process_id_t */
  readonly pid: number
  /** netns_id_t */
  readonly netns: number
  /** level_listeners_t */
  readonly listeners: number
  /** level_connections_t */
  readonly queue_depth: number
  /** level_connections_t */
  readonly queue_limit: number
  /** peak_share_t */
  readonly queue_fullest: number
  /** delta_drops_t */
  readonly queue_drops: number
  /** port_t */
  readonly port: number
  /** u8 */
  readonly role: number
  /** bytes, 5 bytes */
  readonly pad: Bytes
}

/** Columns of `tcp_listen`. */
export const TCP_LISTEN = {
  socket: 'u64',
  cgroup: 'u64',
  comm: 16,
  hierarchy: 'u32',
  pid: 'u32',
  netns: 'u32',
  listeners: 'u32',
  queue_depth: 'u32',
  queue_limit: 'u32',
  queue_fullest: 'u32',
  queue_drops: 'u32',
  port: 'u16',
  role: 'u8',
} as const

/** `struct tcp_total` in probe/bpf. */
export interface TcpTotal {
  /** cgroup_id_t */
  readonly cgroup: number
  /** u64 */
  readonly rtt_sum_us: number
  /** u64 */
  readonly rtt_squares_us2: number
  /** hierarchy_t */
  readonly hierarchy: number
  /** netns_id_t */
  readonly netns: number
  /** samples_t */
  readonly rtt_samples: number
  /** usec_t */
  readonly rtt_min_us: number
  /** usec_t */
  readonly rtt_max_us: number
  /** delta_resets_t */
  readonly resets_sent: number
  /** delta_resets_t */
  readonly resets_rcvd: number
  /** u8 */
  readonly role: number
  /** bytes, 3 bytes */
  readonly pad: Bytes
}

/** Columns of `tcp_total`. */
export const TCP_TOTAL = {
  cgroup: 'u64',
  rtt_sum_us: 'u64',
  rtt_squares_us2: 'u64',
  hierarchy: 'u32',
  netns: 'u32',
  rtt_samples: 'u32',
  rtt_min_us: 'u32',
  rtt_max_us: 'u32',
  resets_sent: 'u32',
  resets_rcvd: 'u32',
  role: 'u8',
} as const

/** `struct rtt_bucket` in probe/bpf. */
export interface RttBucket {
  /** cgroup_id_t */
  readonly cgroup: number
  /** hierarchy_t */
  readonly hierarchy: number
  /** netns_id_t */
  readonly netns: number
  /** samples_t */
  readonly samples: number
  /** u16 */
  readonly bucket: number
  /** u8 */
  readonly role: number
  /** u8 */
  readonly pad: number
}

/** Columns of `rtt_bucket`. */
export const RTT_BUCKET = {
  cgroup: 'u64',
  hierarchy: 'u32',
  netns: 'u32',
  samples: 'u32',
  bucket: 'u16',
  role: 'u8',
} as const

/** `struct udp_flow` in probe/bpf. */
export interface UdpFlow {
  /** socket_id_t */
  readonly socket: number
  /** cgroup_id_t */
  readonly cgroup: number
  /** boot_ns_t */
  readonly opened_ns: number
  /** boot_ns_t */
  readonly closed_ns: number
  /** boot_ns_t */
  readonly reported_ns: number
  /** delta_bytes_t */
  readonly bytes_sent: number
  /** delta_bytes_t */
  readonly bytes_rcvd: number
  /** address_t, 16 bytes */
  readonly local: Bytes
  /** address_t, 16 bytes */
  readonly remote: Bytes
  /** comm_t, 16 bytes */
  readonly comm: Bytes
  /** hierarchy_t */
  readonly hierarchy: number
  /** process_id_t */
  readonly pid: number
  /** netns_id_t */
  readonly netns: number
  /** delta_packets_t */
  readonly packets_sent: number
  /** delta_packets_t */
  readonly packets_rcvd: number
  /** delta_packets_t */
  readonly udp_dropped: number
  /** port_t */
  readonly local_port: number
  /** port_t */
  readonly remote_port: number
  /** u8 */
  readonly family: number
  /** u8 */
  readonly role: number
  /** u8 */
  readonly flags: number
  /** u8 */
  readonly pad: number
}

/** Columns of `udp_flow`. */
export const UDP_FLOW = {
  socket: 'u64',
  cgroup: 'u64',
  opened_ns: 'u64',
  closed_ns: 'u64',
  reported_ns: 'u64',
  bytes_sent: 'u64',
  bytes_rcvd: 'u64',
  local: 16,
  remote: 16,
  comm: 16,
  hierarchy: 'u32',
  pid: 'u32',
  netns: 'u32',
  packets_sent: 'u32',
  packets_rcvd: 'u32',
  udp_dropped: 'u32',
  local_port: 'u16',
  remote_port: 'u16',
  family: 'u8',
  role: 'u8',
  flags: 'u8',
} as const

/** `struct cgroup_path` in probe/bpf. */
export interface CgroupPath {
  /** cgroup_id_t */
  readonly cgroup: number
  /** hierarchy_t */
  readonly hierarchy: number
  /** u32 */
  readonly level: number
  /** cgroup_names_t, 2208 bytes */
  readonly names: Bytes
}

/** Columns of `cgroup_path`. */
export const CGROUP_PATH = {
  cgroup: 'u64',
  hierarchy: 'u32',
  level: 'u32',
  names: 2208,
} as const

/** `struct process` in probe/bpf. */
export interface Process {
  /** boot_ns_t */
  readonly started_ns: number
  /** process_id_t */
  readonly pid: number
  /** process_id_t */
  readonly parent: number
  /** u32 */
  readonly uid: number
  /** u32 */
  readonly pad: number
  /** comm_t, 16 bytes */
  readonly comm: Bytes
  /** comm_t, 16 bytes */
  readonly parent_comm: Bytes
  /** exe_name_t, 48 bytes */
  readonly exe: Bytes
  /** exe_name_t, 48 bytes */
  readonly exe_parent: Bytes
  /** exe_name_t, 48 bytes */
  readonly exe_parent2: Bytes
  /** exe_name_t, 48 bytes */
  readonly exe_parent3: Bytes
  /** exe_name_t, 48 bytes */
  readonly exe_parent4: Bytes
  /** exe_name_t, 48 bytes */
  readonly exe_parent5: Bytes
}

/** Columns of `process`. */
export const PROCESS = {
  started_ns: 'u64',
  pid: 'u32',
  parent: 'u32',
  uid: 'u32',
  comm: 16,
  parent_comm: 16,
  exe: 48,
  exe_parent: 48,
  exe_parent2: 48,
  exe_parent3: 48,
  exe_parent4: 48,
  exe_parent5: 48,
} as const

/* enum role */
export const ROLE_UNKNOWN = 0
export const ROLE_CLIENT = 1
export const ROLE_SERVER = 2

/* enum flow_flags */
export const FLOW_PREDATES = 1
export const FLOW_GUESSED = 2
export const FLOW_OWNERLESS = 4
export const FLOW_SAMPLED = 8
export const FLOW_FAILED = 16
export const FLOW_MEASURED = 32
export const FLOW_HANDED = 64
export const FLOW_EITHER = 128

/* enum tcp_known */
export const KNOWN_SEGMENTS = 1
export const KNOWN_LIMITS = 2
export const KNOWN_STALLS = 4
export const KNOWN_TIMEOUTS = 8
export const KNOWN_QUEUEING = 16
export const KNOWN_THROUGHPUT = 32

/** `enum lost`: reasons by their number. */
export const LOST = [
  'slot',
  'storage',
  'tcp_flow_ring',
  'cgroup_path_ring',
  'free_slot',
  'process_ring',
  'tcp_total',
  'evicted_udp',
  'udp_slot',
  'udp_flow_ring',
  'udp_header',
  'tcp_health_ring',
  'listener',
] as const

/** Names of the fields that are numbers. */
export type NumberField<R> = { [K in keyof R]: R[K] extends number ? K : never }[keyof R] & string
