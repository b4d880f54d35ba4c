/** What each thread of a process may do: proc_pid_status(5). */

import { readdirSync, readFileSync } from 'node:fs'

export interface Thread {
  readonly name: string
  readonly sets: Readonly<Record<keyof typeof SETS, bigint>>
  readonly noNewPrivileges: boolean
}

const SETS = {
  inheritable: 'CapInh',
  permitted: 'CapPrm',
  effective: 'CapEff',
  bounding: 'CapBnd',
  ambient: 'CapAmb',
} as const

/** Bits of linux/capability.h. */
const BITS = {
  dac_override: 1n,
  dac_read_search: 2n,
  net_admin: 12n,
  sys_ptrace: 19n,
  sys_admin: 21n,
  perfmon: 38n,
  bpf: 39n,
} as const
export type Capability = keyof typeof BITS

export const setOf = (...names: readonly Capability[]): bigint =>
  names.reduce((set, name) => set | (1n << BITS[name]), 0n)

export function threads(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).flatMap(thread => {
    let status: string
    try {
      status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
    } catch {
      return [] // it has ended
    }
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)`, 'm').exec(status)?.[1] ?? ''
    const sets = Object.entries(SETS).map(([name, key]) => [name, BigInt(`0x${field(key)}`)])
    return [
      {
        name: `${thread} ${field('Name')}`,
        sets: Object.fromEntries(sets) as Thread['sets'],
        noNewPrivileges: field('NoNewPrivs') === '1',
      },
    ]
  })
}
