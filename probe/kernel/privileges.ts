/** The capabilities of this process, and whether they count for the whole host. */

import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Finding, type Host, textIn } from './finding.ts'

/** Bits of linux/capability.h; any of them is enough. Before Linux 5.8 it was CAP_SYS_ADMIN. */
const CAPABILITIES = [
  { name: 'CAP_BPF', bits: [39, 21], needed: true, gives: 'eBPF programs' },
  { name: 'CAP_PERFMON', bits: [38, 21], needed: true, gives: "the kernel's sockets" },
  {
    name: 'CAP_SYS_ADMIN',
    bits: [21],
    needed: false,
    gives: 'the accepting process, and sockets older than the probe that no descriptor names',
  },
  { name: 'CAP_NET_ADMIN', bits: [12, 21], needed: false, gives: 'UDP and single RTT samples' },
  { name: 'CAP_DAC_READ_SEARCH', bits: [2, 1], needed: false, gives: 'names kept in directories of root' },
  { name: 'CAP_SYS_PTRACE', bits: [19], needed: false, gives: "other users' executables" },
]

const HOW =
  'run it as root, or with these capabilities (AmbientCapabilities= in the systemd unit, securityContext.capabilities in Kubernetes)'

/** The effective capabilities, capabilities(7); user 0 owns the files that CAP_DAC_READ_SEARCH opens. */
export function privileges(env: Pick<Host, 'root'>): Finding {
  const status = textIn(env, '/proc/self/status') ?? ''
  const user = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]
  const effective = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  const missing = CAPABILITIES.filter(
    ({ bits }) => !bits.some(bit => (effective >> BigInt(bit)) & 1n),
  ).filter(({ name }) => !(user === '0' && name === 'CAP_DAC_READ_SEARCH'))
  if (missing.length === 0) return { name: 'privileges', ok: true, found: `user ${user}, all that is needed` }
  const cause = missing.some(({ needed }) => needed) ? missing.filter(({ needed }) => needed) : missing
  const list = cause.map(({ name, gives }) => `${name} (${gives})`).join(', ')
  return {
    name: 'privileges',
    ok: cause[0]?.needed ? false : 'warn',
    found: `user ${user} lacks ${list}`,
    remedy: HOW,
  }
}

/** Inode numbers of the host's own namespaces: include/linux/proc_ns.h, since Linux 3.8. */
const NAMESPACES = [
  {
    type: 'user',
    host: 0xeffffffd,
    ok: false as const,
    lacks: 'capabilities in a user namespace of its own do not count for eBPF',
    remedy: 'run it as root of the host, not in a rootless container',
  },
  {
    type: 'pid',
    host: 0xeffffffc,
    ok: 'warn' as const,
    lacks: "in a PID namespace of its own other processes' older sockets and names cannot be found",
    remedy: 'use --pid=host, in Kubernetes hostPID: true',
  },
  {
    type: 'cgroup',
    host: 0xeffffffb,
    ok: 'warn' as const,
    lacks: 'in a cgroup namespace of its own only its own UDP traffic would be seen',
    remedy: 'use --cgroupns=host',
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
  const strange = NAMESPACES.filter(({ type, host }) => (own(type) ?? host) !== host)
  const [worst] = strange
  if (!worst) return { name: 'namespaces', ok: true, found: "the host's own" }
  const of = (text: (row: (typeof NAMESPACES)[number]) => string) => strange.map(text).join('; ')
  return { name: 'namespaces', ok: worst.ok, found: of(row => row.lacks), remedy: of(row => row.remedy) }
}
