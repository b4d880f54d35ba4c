/** Which of the probe's programs this kernel loads and attaches, each on its own. */

import { closeSync } from 'node:fs'
import type { Program } from 'bcc-bindings'
import { cgroup2In } from '../kernel/cgroup.ts'
import { causeOf } from '../kernel/explain.ts'
import type { Finding } from '../kernel/finding.ts'
import { hooksOf } from '../signals/hooks.ts'
import type { Env } from './check.ts'

type Bindings = typeof import('bcc-bindings')

export async function programs(env: Env): Promise<Finding[]> {
  try {
    const bindings = await import('bcc-bindings')
    const path = await env.object()
    const object = bindings.open(path)
    const all = object.programs
    object.close()
    const findings: Finding[] = []
    for (const program of all) findings.push(await judge(bindings, env, path, program))
    return findings
  } catch (error) {
    const found = `the addon or the eBPF object cannot be loaded (${(error as Error).message})`
    return [{ name: 'programs', ok: false, found, remedy: 'make build' }]
  }
}

async function judge(bindings: Bindings, env: Env, path: string, program: Program): Promise<Finding> {
  const hooks = hooksOf(program.name)
  const needed = hooks?.without === undefined
  const gives = hooks?.gives ?? program.section
  try {
    await attempt(bindings, env, path, program)
    return { name: program.name, ok: true, found: gives }
  } catch (error) {
    if (!(error instanceof bindings.BpfError)) throw error
    const cause = causeOf(error, env)
    return {
      name: program.name,
      ok: needed ? false : 'warn',
      found: `${gives}: ${cause ? error.code : error.message}`,
      remedy: cause?.remedy ?? 'report it with this line and the kernel above',
    }
  }
}

/** @throws BpfError */
async function attempt(
  bindings: Bindings,
  env: Env,
  path: string,
  { name, section }: Program,
): Promise<void> {
  const object = bindings.open(path)
  try {
    for (const other of object.programs) object.setAutoload(other.name, other.name === name)
    object.load()
    if (section === 'syscall') await object.run(name, Buffer.alloc(256))
    else if (/^(cgroup|sockops)/.test(section)) attachToRoot(bindings, env, object, name)
    else object.attach(name)
  } finally {
    object.close()
  }
}

function attachToRoot(
  { mountCgroup2 }: Bindings,
  env: Env,
  object: InstanceType<Bindings['BpfObject']>,
  name: string,
): void {
  const path = cgroup2In(env)
  const cgroup = path ?? mountCgroup2()
  try {
    object.attach(name, { cgroup })
  } finally {
    if (typeof cgroup === 'number') closeSync(cgroup)
  }
}
