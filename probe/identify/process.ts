/** Finds out whether a process is of a container. */

import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { present, readText } from './disk/files.ts'

/** Whether a process is in a cgroup that has this id in its path: a process id may have been given to another. */
export function isInCgroup(proc: string, pid: number, id: string): boolean {
  return readText(join(proc, String(pid), 'cgroup'))?.includes(id) ?? false
}

/** Docker, podman and nerdctl mount files of a container from a directory named after its id: /etc/hosts is one of them. */
export function isInMounts(proc: string, pid: number, id: string): boolean {
  return readText(join(proc, String(pid), 'mountinfo'))?.includes(`/${id}/`) ?? false
}

/** The names of the cgroup that has this id in its path, and of those above it: leaf first, as the kernel sends them. */
export function cgroupNames(proc: string, pid: number, id: string): string[] {
  const lines = readText(join(proc, String(pid), 'cgroup'))?.split('\n') ?? []
  const path = lines.map(line => line.split(':').slice(2).join(':')).find(path => path.includes(id))
  return path?.split('/').filter(Boolean).reverse() ?? []
}

/** starttime in proc_pid_stat(5), in clock ticks after boot; the name before it may hold blanks and brackets. */
export function startOf(proc: string, pid: number): number | undefined {
  const stat = readText(join(proc, String(pid), 'stat'))
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
}

/** Inode of a process's network namespace, as the kernel numbers it. */
export function netnsOf(proc: string, pid: number | 'self'): number | undefined {
  const link = present(() => readlinkSync(join(proc, String(pid), 'ns/net')))
  const inode = /^net:\[(\d+)\]$/.exec(link ?? '')?.[1]
  return inode === undefined ? undefined : Number(inode)
}
