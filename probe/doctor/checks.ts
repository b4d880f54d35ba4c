/** All that is looked at, in the order in which it is shown. */

import { cgroups } from '../kernel/cgroup.ts'
import { btf, clock, kernel, limits, lockdown } from '../kernel/features.ts'
import { namespaces, privileges } from '../kernel/privileges.ts'
import type { Check, Env, Finding } from './check.ts'
import { programs } from './programs.ts'
import { runtimes } from './runtimes.ts'
import { collectors, influxdb, query } from './services.ts'

const CHECKS: readonly Check[] = [
  kernel,
  btf,
  lockdown,
  privileges,
  namespaces,
  limits,
  clock,
  programs,
  cgroups,
  runtimes,
  collectors,
  query,
  influxdb,
]

export async function examine(env: Env): Promise<Finding[]> {
  const findings: Finding[] = []
  // one after the other: loading programs blocks, and the rest must not run into its time-outs
  for (const check of CHECKS) findings.push(...[await check(env)].flat())
  return findings
}
