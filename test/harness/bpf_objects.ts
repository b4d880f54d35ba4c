/** What of BPF is in the kernel, and whose it is. */

import { readdirSync, readFileSync } from 'node:fs'
import { run } from './process.ts'
import { until } from './until.ts'

/** As `prog 12`, `map 34`, `link 5`: the kernel does not give an id a second time soon. */
type Objects = ReadonlySet<string>

/** What a process holds by its descriptors (proc(5), fdinfo). */
export function objectsOf(pid: number): Objects {
  const folder = `/proc/${pid}/fdinfo`
  const ids = readdirSync(folder).flatMap(fd => {
    const info = readOpen(`${folder}/${fd}`)
    // A link's fdinfo tells its program as well.
    return [...info.matchAll(/^(prog|map|link)_id:\s+(\d+)$/gm)].map(([, kind, id]) => `${kind} ${id}`)
  })
  return new Set(ids)
}

/** A descriptor may be closed since it was listed. */
function readOpen(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

async function objects(): Promise<Objects> {
  const kinds = ['prog', 'map', 'link'].map(async kind => {
    const listed = JSON.parse(await run(['bpftool', '--json', kind, 'list'])) as { id: number }[]
    return listed.map(({ id }) => `${kind} ${id}`)
  })
  return new Set((await Promise.all(kinds)).flat())
}

/** The kernel has freed all of these; it takes its time (RCU). */
export async function freed(some: Objects): Promise<void> {
  await until(`the end of ${[...some].join(', ')}`, async () => {
    const left = await objects()
    return [...some].every(object => !left.has(object))
  })
}

/** File systems through which BPF objects or cgroups can be held. */
export function mounts(): string[] {
  const lines = readFileSync('/proc/mounts', 'utf8').split('\n')
  return lines.filter(line => /^\S+ \S+ (bpf|cgroup2?) /.test(line))
}

/** What is pinned in the BPF file system. */
export function pins(): string[] {
  return readdirSync('/sys/fs/bpf', { recursive: true }).map(String).sort()
}
