/** One program of an object file. `section` is where it attaches, `type` is libbpf's name for its kind. */
export interface Program {
  readonly name: string
  readonly section: string
  readonly type: string
}

/** One map of an object file; sizes in bytes. */
export interface MapInfo {
  readonly name: string
  readonly type: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
}

/** A program's costs, from `struct bpf_prog_info`. Time and count stay 0 unless kernel.bpf_stats_enabled is 1. */
export interface ProgramStats {
  readonly name: string
  readonly runTimeNs: bigint
  readonly runCount: bigint
  readonly recursionMisses: bigint
}

/** A member of a struct. */
export interface Field {
  /** Members of a nested struct are `outer.inner`. */
  readonly name: string
  /** Bytes from the start of the struct. */
  readonly offset: number
  /** Bytes of the whole field: of all elements of an array. */
  readonly size: number
  /** Of one element; `bytes` is an array of one-byte numbers. An enum or bool is the integer of its size. */
  readonly type: 'u8' | 'u16' | 'u32' | 'u64' | 'i8' | 'i16' | 'i32' | 'i64' | 'bytes'
  /** Array length (the product, if it has several dimensions), 1 for a single number. */
  readonly count: number
  /** The outermost typedef in BTF; absent for none and for those that only name the size (`__u32`). */
  readonly typedef?: string
  /** An array of plain `char`. */
  readonly text: boolean
}

/** The layout of a C struct. */
export interface Layout {
  readonly name: string
  /** Bytes, `sizeof`. */
  readonly size: number
  readonly fields: readonly Field[]
}

/** What the program's section does not say. */
export interface Target {
  /** A directory of a cgroup2 hierarchy, or a descriptor of one: for cgroup and sockops programs. */
  readonly cgroup?: string | number
  /** Before all other programs, also those of cgroups below; where the kernel cannot (before 6.15) behind them. */
  readonly first?: boolean
  /** A map of the same object: for iter/bpf_map_elem and iter/bpf_sk_storage_map. */
  readonly map?: string
}

/** All entries of a map, back to back in the same order. */
export interface Entries {
  /** `count` keys of `keySize` bytes. */
  readonly keys: Buffer
  /** `count` values of `valueSize` bytes; in per-CPU maps each is possible CPUs × valueSize rounded up to 8. */
  readonly values: Buffer
  readonly count: number
}
