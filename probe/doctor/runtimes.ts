/** Where the names of containers and pods come from on this host. */

import { globSync, opendirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join, relative } from 'node:path'
import { codeOf, type Finding } from '../kernel/finding.ts'
import { surroundingsOf } from '../kernel/surroundings.ts'
import type { Env } from './check.ts'

interface Source {
  readonly name: string
  readonly directories?: readonly string[]
  readonly sockets?: readonly string[]
}

/** The sources behind each setting; runc and crun keep the state of podman's and CRI-O's containers. */
const sourcesOf = ({ places }: Env): readonly Source[] => [
  { name: 'containerd', directories: places.containerdState },
  { name: 'runc, crun', directories: places.ociState },
  {
    name: 'docker',
    directories: places.dockerRoot.map(root => join(root, 'containers')),
    sockets: places.dockerSocket,
  },
  { name: 'podman', sockets: places.podmanSocket },
  { name: 'cri', sockets: places.criSocket },
  { name: 'kubelet', directories: places.kubeletLogs.map(logs => join(logs, 'pods')) },
]

type Access = 'usable' | 'idle' | 'missing' | 'EACCES' | (string & {})

/** Opens it: access(2) ignores CAP_DAC_READ_SEARCH in a process that is not root's. */
function directory(path: string): Access {
  try {
    opendirSync(path).closeSync()
    statSync(join(path, '.')) // to list needs one permission, to enter another
    return 'usable'
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'missing' : codeOf(error)
  }
}

/** Connects: a socket without a listener is left from a runtime that has ended. */
export async function unixSocket(path: string): Promise<Access> {
  try {
    if (!statSync(path).isSocket()) return 'missing'
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'missing' : codeOf(error)
  }
  const { promise, resolve } = Promise.withResolvers<Access>()
  const socket = connect(path)
  socket.on('connect', () => resolve('usable'))
  socket.on('error', error => resolve(codeOf(error) === 'ECONNREFUSED' ? 'idle' : codeOf(error)))
  return promise.finally(() => socket.destroy())
}

export async function runtimes(env: Env): Promise<Finding[]> {
  const findings = await Promise.all(sourcesOf(env).map(source => judge(env, source)))
  const found = findings.filter(finding => finding !== undefined)
  return found.length > 0 ? found : [nothing(env)]
}

/** The probe sees all cgroups wherever it runs; names are in directories and sockets of the host. */
const nothing = (env: Env): Finding =>
  surroundingsOf(env) === 'host'
    ? {
        name: 'runtimes',
        ok: true,
        found: 'none: containers would be counted by the ids in their cgroups, without names',
      }
    : {
        name: 'runtimes',
        ok: 'warn',
        found: 'none in this container: other containers are counted by their ids, without names',
        remedy:
          'mount the directories and sockets of the host into it, for example -v /run:/run:ro -v /var/lib/docker:/var/lib/docker:ro',
      }

async function judge(
  { root }: Env,
  { name, directories = [], sockets = [] }: Source,
): Promise<Finding | undefined> {
  const looked = await Promise.all([
    ...directories.flatMap(path => expanded(root, path)).map(path => ({ path, access: directory(path) })),
    ...sockets
      .flatMap(path => expanded(root, path))
      .map(async path => ({ path, access: await unixSocket(path) })),
  ])
  const seen = looked
    .filter(({ access }) => access !== 'missing')
    .map(({ path, access }) => ({ path: join('/', relative(root, path)), access }))
  if (seen.length === 0) return undefined
  const found = seen
    .map(({ path, access }) => (access === 'usable' ? path : `${path} (${access})`))
    .join(', ')
  const closed = seen.filter(({ access }) => access !== 'usable' && access !== 'idle')
  if (closed.length === 0) return { name, ok: true, found }
  const paths = closed.map(({ path }) => path).join(' and ')
  const remedy = `run it as root, or give its user access to ${paths}, else names of containers may be missing`
  return { name, ok: 'warn', found, remedy }
}

/** `*` stands for one directory. */
function expanded(root: string, path: string): string[] {
  const whole = join(root, path)
  return path.includes('*') ? globSync(whole) : [whole]
}
