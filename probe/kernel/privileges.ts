/** The capabilities of this process, and whether they count for the whole host. */

import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cgroup2In } from './cgroup.ts'
import { type Finding, type Host, sentenceOf, textIn } from './finding.ts'
import { capabilityLine, cgroupLine, pidLine, surroundingsOf } from './surroundings.ts'

const SYS_ADMIN = 21

interface Privilege {
  readonly name: string
  /** Bits of linux/capability.h; any of them is enough. Before Linux 5.8 it was CAP_SYS_ADMIN. */
  readonly bits: readonly number[]
  /** The probe cannot run without it. */
  readonly needed?: true
  readonly without: string
}

/** In the order in which they are told; docs/security.md has the same table, and a test takes each away. */
export const PRIVILEGES: readonly Privilege[] = [
  { name: 'CAP_BPF', bits: [39, SYS_ADMIN], needed: true, without: 'eBPF programs cannot be loaded' },
  {
    name: 'CAP_PERFMON',
    bits: [38, SYS_ADMIN],
    needed: true,
    without: "the kernel's sockets cannot be read",
  },
  {
    name: 'CAP_NET_ADMIN',
    bits: [12, SYS_ADMIN],
    without: 'UDP is not counted, and before Linux 6.3 there are no single RTT samples',
  },
  {
    name: 'CAP_SYS_ADMIN',
    bits: [SYS_ADMIN],
    without:
      'sockets in other network namespaces that are older than the probe and that no descriptor names (MPTCP) are counted when they close, and before Linux 6.3 older ones have no single RTT samples',
  },
  {
    name: 'CAP_DAC_READ_SEARCH',
    bits: [2, 1],
    without:
      'containers whose names are in directories of other users are known by their ids, and before Linux 6.3 the owner of a connection is known at its first use',
  },
  {
    name: 'CAP_SYS_PTRACE',
    bits: [19],
    without: "other users' network namespaces are not scanned, and their processes have their short names",
  },
]

const has = (set: bigint, bit: number): boolean => ((set >> BigInt(bit)) & 1n) === 1n

/** The user and its effective capabilities, proc_pid_status(5). */
function own(env: Pick<Host, 'root'>): { readonly user: string; readonly effective: bigint } {
  const status = textIn(env, '/proc/self/status') ?? ''
  return {
    user: /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? 'unknown',
    effective: BigInt(`0x${/^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`),
  }
}

function missing(env: Pick<Host, 'root'>): readonly Privilege[] {
  const { effective } = own(env)
  return PRIVILEGES.filter(({ bits }) => !bits.some(bit => has(effective, bit)))
}

export const lacks = (env: Pick<Host, 'root'>, name: string): boolean =>
  missing(env).some(privilege => privilege.name === name)

/** One finding for what the probe cannot run without; else one for each capability that it lacks. */
export function privileges(env: Pick<Host, 'root'>): Finding[] {
  const name = 'privileges'
  const { user } = own(env)
  const line = capabilityLine[surroundingsOf(env)]
  const lacking = missing(env)
  const needed = lacking.filter(({ needed }) => needed)
  if (needed.length > 0) {
    const list = needed.map(({ name, without }) => `${name} (without it ${without})`).join(' and ')
    return [
      { name, ok: false, found: `user ${user} lacks ${list}`, remedy: line(needed.map(({ name }) => name)) },
    ]
  }
  if (lacking.length === 0) return [{ name, ok: true, found: `user ${user}, all that is needed` }]
  return lacking.map(({ name: capability, without }) => ({
    name,
    ok: 'warn' as const,
    found: `user ${user} lacks ${capability}: ${without}`,
    remedy: line([capability]),
  }))
}

/**
 * What is needed after the start scan, as bits: all in the table but CAP_SYS_ADMIN, which stays only in place of another
 * that is missing. Root keeps what opens the files and sockets of other users.
 */
export function afterScan(env: Pick<Host, 'root'>): bigint {
  const { effective } = own(env)
  const isStandIn = PRIVILEGES.some(
    ({ bits: [own = SYS_ADMIN, other] }) => other === SYS_ADMIN && !has(effective, own),
  )
  const bits = PRIVILEGES.flatMap(({ bits }) => bits.filter(bit => bit !== SYS_ADMIN || isStandIn))
  return bits.reduce((set, bit) => set | (1n << BigInt(bit)), 0n)
}

const rooted = () => 'run it as root of the host, not in a rootless container'

/** Inode numbers of the host's own namespaces: include/linux/proc_ns.h, since Linux 3.8. */
const NAMESPACES = [
  {
    type: 'user',
    host: 0xeffffffd,
    ok: false as const,
    lacks: 'capabilities in a user namespace of its own do not count for eBPF',
    line: { kubernetes: rooted, container: rooted, host: rooted },
  },
  {
    type: 'pid',
    host: 0xeffffffc,
    ok: 'warn' as const,
    lacks: "in a PID namespace of its own other processes' older sockets and names cannot be found",
    line: pidLine,
  },
  {
    type: 'cgroup',
    host: 0xeffffffb,
    ok: 'warn' as const,
    lacks:
      'in a cgroup namespace of its own the peers of UDP sockets that are not connected are known of its own cgroup only, and before Linux 6.3 no other UDP is counted',
    line: cgroupLine,
  },
]

export function namespaces(env: Pick<Host, 'root'>): Finding {
  const own = (type: string) => {
    try {
      return Number(/\[(\d+)\]/.exec(readlinkSync(join(env.root, 'proc/self/ns', type)))?.[1])
    } catch {
      return undefined // the kernel has no namespaces of this type
    }
  }
  // its own cgroup namespace is no matter when the host's root of cgroups is mounted
  const matters = (type: string) => type !== 'cgroup' || cgroup2In(env) === undefined
  const strange = NAMESPACES.filter(({ type, host }) => (own(type) ?? host) !== host && matters(type))
  const [worst] = strange
  if (!worst) return { name: 'namespaces', ok: true, found: "the host's own" }
  const of = (text: (row: (typeof NAMESPACES)[number]) => string) => strange.map(text).join('; ')
  return {
    name: 'namespaces',
    ok: worst.ok,
    found: of(row => row.lacks),
    remedy: of(row => row.line[surroundingsOf(env)]()),
  }
}

/** What the probe runs without, a sentence with the remedy for each. */
export const shortcomings = (env: Pick<Host, 'root'> = { root: '/' }): string[] =>
  [...privileges(env), namespaces(env)].filter(({ ok }) => ok !== true).map(sentenceOf)
