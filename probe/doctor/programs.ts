/** Which of the probe's programs this kernel loads and attaches, each on its own. */

import { closeSync } from 'node:fs'
import { cgroup2In } from '../kernel/cgroup.ts'
import { causeOf } from '../kernel/explain.ts'
import type { Finding } from '../kernel/finding.ts'
import { SIGNALS } from '../signals/index.ts'
import type { Runs, Signal } from '../signals/signal.ts'
import type { Env } from './check.ts'

type Bindings = typeof import('bcc-bindings')
type BpfObject = InstanceType<Bindings['BpfObject']>

/** More than `struct report` has. */
const CONTEXT_BYTES = 256

export async function programs(env: Env, signals: readonly Signal[] = SIGNALS): Promise<Finding[]> {
  try {
    const bindings = await import('bcc-bindings')
    const path = await env.object()
    bindings.open(path).close()
    const findings: Finding[] = []
    const works = new Set<Signal>()
    for (const signal of signals) {
      const { insteadOf, needs, needsOneOf } = signal
      if (insteadOf && works.has(insteadOf)) continue
      if (needs && !works.has(needs)) continue // what it is for is said there
      if (needsOneOf && !needsOneOf.some(other => works.has(other))) continue
      const judged: Finding[] = []
      for (const [program, runs] of Object.entries(signal.programs))
        judged.push(await judge(bindings, env, path, signal, program, runs))
      if (judged.every(({ ok }) => ok === true)) works.add(signal)
      findings.push(...judged)
    }
    return findings
  } catch (error) {
    const found = `the addon or the eBPF object cannot be loaded (${(error as Error).message})`
    return [{ name: 'programs', ok: false, found, remedy: 'make build' }]
  }
}

async function judge(
  bindings: Bindings,
  env: Env,
  path: string,
  { gives, fallback }: Signal,
  program: string,
  runs: Runs,
): Promise<Finding> {
  try {
    await attempt(bindings, env, path, program, runs)
    return { name: program, ok: true, found: gives }
  } catch (error) {
    if (!(error instanceof bindings.BpfError)) throw error
    const cause = causeOf(error, env)
    return {
      name: program,
      ok: fallback === undefined ? false : 'warn',
      found: `${gives}: ${cause ? error.code : error.message}`,
      remedy: cause?.remedy ?? 'report it with this line and the kernel above',
    }
  }
}

/** @throws BpfError */
async function attempt(bindings: Bindings, env: Env, path: string, program: string, runs: Runs) {
  const object = bindings.open(path)
  try {
    for (const { name } of object.programs) object.setAutoload(name, name === program)
    object.load()
    if (runs === 'report') await object.run(program, Buffer.alloc(CONTEXT_BYTES))
    else if (runs === 'cgroup' || runs === 'cgroup_first') attachToRoot(bindings, env, object, program)
    else if (runs !== 'never') object.attach(program)
  } finally {
    object.close()
  }
}

function attachToRoot({ mountCgroup2 }: Bindings, env: Env, object: BpfObject, program: string): void {
  const path = cgroup2In(env)
  const cgroup = path ?? mountCgroup2()
  try {
    object.attach(program, { cgroup })
  } finally {
    if (typeof cgroup === 'number') closeSync(cgroup)
  }
}
