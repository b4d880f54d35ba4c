/** Process groups of the tests: a command and everything it starts end together, also when the test itself is ended. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { signal } from './process.ts'

/** Groups that run, by the pid of their first process. */
const running = new Set<number>()

function endAll(): void {
  for (const pid of running) signal(-pid, 'SIGKILL')
}

process.once('exit', endAll)
// tap ends a test file that takes too long with SIGTERM. Without our listener, its own one reports and ends the process.
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.once(name, () => {
    endAll()
    process.kill(process.pid, name)
  })

/** @param pid of a process that was started with `detached` */
export function watchGroup(pid: number): void {
  running.add(pid)
}

/** Kills the processes that a group still has. @returns their commands */
export function endGroup(pid: number): string[] {
  running.delete(pid)
  const left = processesWhere(fields => Number(fields[2]) === pid)
  signal(-pid, 'SIGKILL')
  return left.map(({ command }) => command)
}

/** Ends the processes that work in a directory. @returns their commands */
export function endProcessesIn(directory: string): string[] {
  const left = processesWhere((_, pid) => {
    const folder = readlinkSync(`/proc/${pid}/cwd`)
    return folder === directory || folder.startsWith(`${directory}/`)
  })
  for (const { pid } of left) signal(pid, 'SIGKILL')
  return left.map(({ command }) => command)
}

/** @param isWanted of the fields of /proc/PID/stat after the name, from the state on: proc_pid_stat(5) */
function processesWhere(isWanted: (fields: readonly string[], pid: number) => boolean) {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        if (fields[0] === 'Z' || !isWanted(fields, Number(name))) return []
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return [{ pid: Number(name), command: `${command} (pid ${name})` }]
      } catch {
        return [] // it has ended
      }
    })
}
