import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { signal } from './process.ts'
import { until } from './until.ts'

export interface CgroupMount {
  path: string
  type: 'cgroup' | 'cgroup2'
}

/** Where cgroup hierarchies are mounted here, v1 and v2; one mount point each. */
export function cgroupMounts(): CgroupMount[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return mounts
    .map(line => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path = '', type]) => ({ path, type: type as CgroupMount['type'] }))
}

export const cgroupRoots = (): string[] => cgroupMounts().map(({ path }) => path)

/** Makes a cgroup in hierarchies, as kubelet does for a pod before it asks for the sandbox. */
export async function makeCgroup(path: string, roots = cgroupRoots()): Promise<void> {
  for (const root of roots) {
    // Another test file may remove a parent that just became empty, between the parent's mkdir and ours.
    await until(`mkdir ${path}`, () => mkdir(join(root, path), { recursive: true }).then(yes, isMissing))
  }
}

/** The processes in a cgroup and below, in any hierarchy. */
export function processesIn(path: string): number[] {
  const pids = cgroupRoots()
    .flatMap(root => below(join(root, path)))
    .flatMap(directory => lines(join(directory, 'cgroup.procs')))
  return [...new Set(pids.map(Number))]
}

/** Kills what is in a cgroup, removes it, and its parents as far as nobody else uses them. */
export async function removeCgroup(path: string): Promise<void> {
  for (const pid of processesIn(path)) signal(pid, 'SIGKILL')
  for (const root of cgroupRoots()) {
    // A cgroup stays busy for a moment after its last process died.
    await until(`rmdir ${root}${path}`, async () => {
      for (const directory of below(join(root, path))) await rmdir(directory).catch(() => {})
      return below(join(root, path)).length === 0
    })
  }
  await removeUnused(dirname(path))
}

/** Removes a cgroup that nobody uses, and its parents as far as nobody else uses them. */
export async function removeUnused(path: string): Promise<void> {
  for (const root of cgroupRoots())
    for (let unused = path; unused !== '/'; unused = dirname(unused))
      await rmdir(join(root, unused)).catch(() => {})
}

// The directory and those in it, the deepest first; none if it does not exist.
function below(directory: string): string[] {
  try {
    const children = readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory())
    return [...children.flatMap(child => below(join(directory, child.name))), directory]
  } catch {
    return []
  }
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}

const yes = () => true

function isMissing(failure: NodeJS.ErrnoException): false {
  if (failure.code === 'ENOENT') return false
  throw failure
}
