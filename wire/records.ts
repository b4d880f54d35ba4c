// Generated from the BTF of probe.bpf.o by probe/bpf/generate.ts: change the C headers instead.

type Bytes = Uint8Array

/** `struct tcp_flow`, see `tcp_flow.h` in probe/bpf. */
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
  /** u8 */
  readonly flags: number
  /** usec_t */
  readonly rtt_us: number
  /** usec_t */
  readonly rtt_var_us: number
  /** segments_t */
  readonly segs_sent: number
  /** segments_t */
  readonly segs_rcvd: number
  /** segments_t */
  readonly segs_resent: number
  /** bytes_t */
  readonly bytes_sent: number
  /** bytes_t */
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
  readonly pad: number
}

/** `struct tcp_update`, see `tcp_update.h` in probe/bpf. */
export interface TcpUpdate {
  /** socket_id_t */
  readonly socket: number
  /** cgroup_id_t */
  readonly cgroup: number
  /** bytes_t */
  readonly bytes_sent: number
  /** bytes_t */
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
  /** segments_t */
  readonly segs_sent: number
  /** segments_t */
  readonly segs_rcvd: number
  /** segments_t */
  readonly segs_resent: number
  /** u8 */
  readonly role: number
  /** u8 */
  readonly state: number
  /** u8 */
  readonly flags: number
  /** bytes, 5 bytes */
  readonly pad: Bytes
}

/** `struct tcp_total`, see `tcp_total.h` in probe/bpf. */
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
  /** u32 */
  readonly resets_sent: number
  /** u32 */
  readonly resets_rcvd: number
  /** u8 */
  readonly role: number
  /** bytes, 3 bytes */
  readonly pad: Bytes
}

/** `struct rtt_bucket`, see `rtt_bucket.h` in probe/bpf. */
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

/** `struct udp_flow`, see `udp_flow.h` in probe/bpf. */
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
  /** bytes_t */
  readonly bytes_sent: number
  /** bytes_t */
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
  /** packets_t */
  readonly packets_sent: number
  /** packets_t */
  readonly packets_rcvd: number
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
  /** bytes, 5 bytes */
  readonly pad: Bytes
}

/** `struct cgroup_path`, see `cgroup_path.h` in probe/bpf. */
export interface CgroupPath {
  /** cgroup_id_t */
  readonly cgroup: number
  /** hierarchy_t */
  readonly hierarchy: number
  /** u32 */
  readonly level: number
  /** cgroup_name_t, 160 bytes */
  readonly leaf: Bytes
  /** cgroup_name_t, 160 bytes */
  readonly parent: Bytes
  /** cgroup_name_t, 160 bytes */
  readonly parent2: Bytes
  /** cgroup_name_t, 160 bytes */
  readonly parent3: Bytes
  /** cgroup_name_t, 160 bytes */
  readonly parent4: Bytes
  /** cgroup_name_t, 160 bytes */
  readonly parent5: Bytes
}

/** `struct process`, see `process.h` in probe/bpf. */
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

/** Names of the fields that are numbers. */
export type NumberField<R> = { [K in keyof R]: R[K] extends number ? K : never }[keyof R] & string
