/**
 * The descriptor of a signal. Loading, attaching, scanning, reading, the generated records and the doctor use it; nothing
 * else knows the names in `bpf/`.
 */

import type { HealthGroup } from './health_groups.ts'

export interface KernelOptions {
  /** TCP connections that can be open at once; 472 bytes of kernel memory each. */
  readonly maxFlows: number
  /** UDP conversations that have a slot at once; 336 bytes of kernel memory each. */
  readonly maxUdpFlows: number
  /** Bytes of the ring of closed flows, a power of two. */
  readonly ringBytes: number
  /** Where UDP is counted. */
  readonly udp: 'calls' | 'packets' | 'off'
  /** RTT samples as calls find them, or those of bulk, too, or only the kernel's smoothed RTTs. */
  readonly rtt: 'calls' | 'samples' | 'smoothed'
  /** What is read of TCP sockets to say why they are slow. */
  readonly health: readonly HealthGroup[]
  /** Names of signals that are left out as if this kernel refused them. */
  readonly without?: readonly string[]
}

/** When a program runs. */
export type Runs =
  /** At the tracepoint in its section. */
  | 'event'
  /** For every cgroup: attached to the root of cgroup2. */
  | 'cgroup'
  /** The same, before the programs of others: it sees what they change as it was. */
  | 'cgroup_first'
  /** An iterator: once at the start. */
  | 'scan'
  /** An iterator that sees one network namespace: at the start, in each. */
  | 'netns_scan'
  /** An iterator: after a pass that found accepted connections that nobody has used. */
  | 'user_scan'
  /** At the end of each window, with `struct report` as its context. */
  | 'report'
  /** It only shows whether the kernel takes it. */
  | 'never'

/** The reader of a ring's records: `main.ts` connects them. */
export type RingReader = 'flows' | 'cgroups' | 'processes'

/** Records of one kind, and the mmap'ed map that the report program writes them into. */
interface Page {
  readonly record: string
  readonly page: string
}

/** Flows that are reported at the end of each window, and sent through the ring when they close. */
interface FlowRecords {
  readonly row: Page
  /** Rows of flows that had a whole row before. */
  readonly update?: Page
  /** Rows of another signal that its report writes beside its own. */
  readonly beside?: Page
  /** Whether a flow's close has a row of its own, without traffic; undefined when it has no ring. */
  readonly tellsClose?: boolean
}

/** A map of `bpf/` that is made larger as it is used. */
export interface Growing {
  /** `SLOTS`, which grow by a chunk at a time, or a `TABLE`, which grows once. */
  readonly kind: 'slots' | 'table'
  readonly map: string
  /** How much of it is used: a member of `struct room`. */
  readonly used: string
  /** Entries at most. */
  readonly most: number
}

export interface Sizes {
  readonly options: KernelOptions
  /** Whether the signal is loaded. */
  readonly wanted: boolean
  /** Bytes of a struct of the object. */
  readonly sizeOf: (struct: string) => number
}

export interface Signal {
  readonly name: string
  /** Programs in `bpf/`, in the order in which they are attached and run: all of them work, or none does. */
  readonly programs: Readonly<Record<string, Runs>>
  /** Without it: always. */
  readonly wanted?: (options: KernelOptions) => boolean
  /** This signal runs only with that one. */
  readonly needs?: Signal
  /** This signal runs only with at least one of these. */
  readonly needsOneOf?: readonly Signal[]
  /** This signal runs only where that one is unavailable. */
  readonly insteadOf?: Signal
  /** What the signal provides. */
  readonly gives: string
  /** What happens when it is unavailable; the probe cannot run without a signal that has no fallback. */
  readonly fallback?: string
  /** Structs that reach the collector or `identify`. */
  readonly records: readonly string[]
  /** A ring has the name of its record. */
  readonly ring?: { readonly record: string; readonly reader: RingReader }
  readonly flows?: FlowRecords
  /** `const volatile` numbers. @param wanted whether the signal is loaded */
  readonly globals?: (options: KernelOptions, wanted: boolean) => Readonly<Record<string, number>>
  /** Entries of maps, bytes of rings. */
  readonly maps?: (sizes: Sizes) => Readonly<Record<string, number>>
  /** Maps that are small at the start, and how large they may become. */
  readonly grows?: (sizes: Sizes) => readonly Growing[]
}
