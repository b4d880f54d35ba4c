/** Directories of the host that a probe in a container needs and does not have. */

import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '../kernel/finding.ts'
import { mountLine, surroundingsOf } from '../kernel/surroundings.ts'
import type { Check, Env } from './check.ts'

interface Needed {
  /** Who keeps names there, and how its processes are called (proc_pid_comm(5): 15 characters). */
  readonly runtime: string
  readonly process: RegExp
  /** One of these is enough. */
  readonly directories: (places: Env['places']) => readonly string[]
  /** What is mounted when there is none. */
  readonly usual: string
}

const TASKS = 'io.containerd.runtime.v2.task'
const NEEDED: readonly Needed[] = [
  {
    runtime: 'containerd',
    process: /^containerd-shim/,
    directories: ({ containerdState }) => containerdState.map(state => join(state, TASKS)),
    usual: `/run/containerd/${TASKS}`,
  },
  {
    runtime: 'Docker',
    process: /^dockerd$/,
    directories: ({ dockerRoot }) => dockerRoot.map(root => join(root, 'containers')),
    usual: '/var/lib/docker/containers',
  },
  {
    runtime: 'CRI-O or podman',
    process: /^conmon/,
    directories: ({ ociState }) => ociState,
    usual: '/run/crun',
  },
]
const LOGS: Pick<Needed, 'directories' | 'usual'> = {
  directories: ({ kubeletLogs }) => kubeletLogs.map(logs => join(logs, 'pods')),
  usual: '/var/log/pods',
}

/** Names of all processes that can be seen. */
const processes = ({ root }: Env): string[] =>
  globSync(join(root, 'proc/[0-9]*/comm')).flatMap(path => {
    try {
      return readFileSync(path, 'utf8').trim()
    } catch {
      return [] // it has ended
    }
  })

export const mounts: Check = env => {
  const where = surroundingsOf(env)
  if (where === 'host') return []
  const isThere = (path: string) =>
    path.includes('*') ? globSync(join(env.root, path)).length > 0 : existsSync(join(env.root, path))
  const has = ({ directories }: Pick<Needed, 'directories'>) => directories(env.places).some(isThere)
  const finding = (runtime: string, what: string, path: string): Finding => ({
    name: 'mounts',
    ok: 'warn',
    found: `${runtime} runs on this node, and ${path} is not mounted here: ${what}`,
    remedy: mountLine[where](path),
  })
  const running = processes(env)
  const missing = NEEDED.filter(
    needed => running.some(name => needed.process.test(name)) && !has(needed),
  ).map(({ runtime, usual }) =>
    finding(runtime, 'its containers are counted by their ids, without names', usual),
  )
  if (where === 'kubernetes' && !has(LOGS))
    missing.push(finding('kubelet', 'pods that no runtime names stay without names', LOGS.usual))
  return missing.length > 0
    ? missing
    : { name: 'mounts', ok: true, found: 'the directories of the runtimes that run on this node' }
}
