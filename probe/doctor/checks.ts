/** All checks, in the order in which they are shown. */

import { cgroups } from '../kernel/cgroup.ts'
import { btf, clock, kernel, limits, lockdown } from '../kernel/features.ts'
import type { Finding } from '../kernel/finding.ts'
import { namespaces, privileges } from '../kernel/privileges.ts'
import type { Check, Env } from './check.ts'
import { mounts } from './mounts.ts'
import { programs } from './programs.ts'
import { runtimes } from './runtimes.ts'
import { collectors, influxdb, query } from './services.ts'
import { victoriametrics } from './victoria.ts'

/** Checks without a finding are shown as one line an area. */
const AREAS: Readonly<Record<string, readonly Check[]>> = {
  kernel: [kernel, btf, lockdown],
  privileges: [privileges, namespaces],
  limits: [limits, clock],
  programs: [programs],
  cgroups: [cgroups],
  runtimes: [runtimes, mounts],
  collector: [collectors],
  query: [query],
  influxdb: [influxdb, victoriametrics],
}

export async function examine(env: Env): Promise<Finding[]> {
  const findings: Finding[] = []
  // in order: loading programs blocks, and the other checks would time out
  for (const [area, checks] of Object.entries(AREAS))
    for (const check of checks)
      findings.push(...[await check(env)].flat().map(finding => ({ ...finding, area })))
  return findings
}
