/** Why the kernel refused our programs, in a sentence with its remedy. */

import { release } from 'node:os'
import type { BpfError } from 'bcc-bindings'
import { btf, lockdown } from './features.ts'
import { type Finding, type Host, sentenceOf } from './finding.ts'
import { lacks, namespaces, privileges } from './privileges.ts'

/** In the order of the kernel's checks: without the right to load programs, types are not checked. */
const CAUSES = [privileges, namespaces, btf, lockdown]

interface Reason {
  readonly when: (error: BpfError, env: Host) => RegExpExecArray | boolean | null
  /** @param detail what `when` found in the log */
  readonly found: (detail: string, release: string) => string
  readonly remedy: string | ((release: string) => string)
}

/** The oldest kernel with all that the probe requires; optional features came later, one by one. */
const OLDEST = [5, 15] as const
/** The oldest whose verifier takes all programs; of a newer one a refusal is a fault of ours. */
const VERIFIES = [6, 3] as const

const isBefore = (release: string, [major, minor]: readonly [number, number]): boolean => {
  const [own = 0, next = 0] = release.split('.').map(Number.parseFloat)
  return own < major || (own === major && next < minor)
}
const newer = (release: string): string =>
  isBefore(release, OLDEST) ? `use Linux ${OLDEST.join('.')} or newer` : 'a newer kernel has it'

const REASONS: readonly Reason[] = [
  {
    when: ({ log = '' }) => /failed to find kernel BTF type ID of '(\w+)'/.exec(log),
    found: (name, release) => `this kernel (${release}) has no ${name}`,
    remedy: newer,
  },
  {
    when: ({ log = '' }) => /(?:unknown|invalid) func (\w+#\d+)/.exec(log),
    found: (name, release) => `this kernel (${release}) does not let eBPF programs call ${name}`,
    remedy: newer,
  },
  {
    when: ({ log = '' }) => /failed to resolve CO-RE relocation <\w+> \[\d+\] struct (\w+\.\w+)/.exec(log),
    found: (field, release) => `this kernel (${release}) has no ${field}`,
    remedy: newer,
  },
  {
    // the rights were looked at before
    when: ({ code, log = '' }, { release }) =>
      code === 'EACCES' && isBefore(release, VERIFIES) && /prog '(\w+)': BPF program load failed/.exec(log),
    found: (name, release) => `the verifier of this kernel (${release}) does not take the program ${name}`,
    remedy: `Linux ${VERIFIES.join('.')} does`,
  },
  {
    when: ({ code }) => code === 'ENOMEM',
    found: () => 'there is no memory for the eBPF maps',
    remedy: 'lower --ring-size, or raise the memory limit',
  },
  {
    when: ({ code }) => code === 'ENOSYS',
    found: () => 'this kernel has no bpf(2)',
    remedy: 'boot one with CONFIG_BPF_SYSCALL=y',
  },
  {
    when: ({ code, message }) => /^E(PERM|ACCES)$/.test(code) && /tracepoint \S+/.test(message),
    found: () => 'tracefs, which has the numbers of tracepoints, cannot be read',
    remedy: 'mount -t tracefs tracefs /sys/kernel/tracing, and give CAP_DAC_READ_SEARCH',
  },
  {
    when: ({ code }, env) => code === 'EPERM' && lacks(env, 'CAP_NET_ADMIN'),
    found: () => 'programs for cgroups need CAP_NET_ADMIN',
    remedy: 'give it',
  },
  {
    // libbpf's message for cgroup programs; seccomp would have refused them already at load
    when: ({ code, syscall, log = '' }) =>
      code === 'EPERM' && syscall === 'attach' && /failed to attach to cgroup/.test(log),
    found: () => 'another eBPF program is attached to the root of cgroup2 and allows none beside it',
    remedy:
      'find it with `bpftool cgroup show` and the path of the root, and have it attached with BPF_F_ALLOW_MULTI (`multi`)',
  },
  {
    when: ({ code }) => code === 'EPERM',
    found: () => 'bpf(2) is refused although the capabilities are there',
    remedy: 'let the seccomp profile or the security module allow it',
  },
]

/** @returns undefined for an unknown cause: then the error and its log say more */
export function causeOf(error: BpfError, env: Host): Pick<Finding, 'found' | 'remedy'> | undefined {
  if (error.syscall !== 'load' && error.syscall !== 'attach') return undefined
  const cause = CAUSES.flatMap(check => check(env)).find(({ ok }) => ok === false)
  if (cause) return cause
  for (const { when, found, remedy } of REASONS) {
    const seen = when(error, env)
    if (seen)
      return {
        found: found(typeof seen === 'object' ? (seen[1] ?? '') : '', env.release),
        remedy: typeof remedy === 'string' ? remedy : remedy(env.release),
      }
  }
  return undefined
}

/** The same as one sentence, for the probe. */
export function explainLoad(error: BpfError, env = { root: '/', release: release() }): string | undefined {
  const cause = causeOf(error, env)
  return cause && sentenceOf(cause)
}
