// Generated from the BTF of probe.bpf.o by probe/bpf/generate.ts: change the C headers instead.

type Bytes = Uint8Array

/** `struct tcp_flow`, see `probe/bpf/tcp_flow.h`. */
export interface TcpFlow {
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
}

/** `struct cgroup_path`, see `probe/bpf/cgroup_path.h`. */
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

/** Names of the fields that are numbers. */
export type NumberField<R> = { [K in keyof R]: R[K] extends number ? K : never }[keyof R] & string
