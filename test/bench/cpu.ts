import { readFileSync } from 'node:fs'

/** Ticks of /proc/stat per second: sysconf(_SC_CLK_TCK) is 100 on every Linux that Node.js runs on. */
const TICKS = 100

/** Seconds of CPU. */
export interface Cpu {
  readonly user: number
  readonly kernel: number
}

/**
 * Seconds that all cores were busy since boot, interrupts included, without this process: it receives what the probe
 * sends, and stands for a collector on another machine.
 */
export function busySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) / TICKS - ownSeconds()
}

/** Seconds of CPU, user and system, of this process and of the kernel on its behalf. */
export function ownSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** proc_pid_stat(5) from its third field on: the second may hold blanks. */
const fieldsOf = (pid: number | 'self'): string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ')

/** Seconds of CPU of the children that have ended. */
export function childSeconds(): number {
  const fields = fieldsOf('self')
  return (Number(fields[13]) + Number(fields[14])) / TICKS
}

/** Of a process, its threads included. */
export function cpuOf(pid: number): Cpu {
  const fields = fieldsOf(pid)
  return { user: Number(fields[11]) / TICKS, kernel: Number(fields[12]) / TICKS }
}

export const since = (before: Cpu, after: Cpu): Cpu => ({
  user: after.user - before.user,
  kernel: after.kernel - before.kernel,
})

/** Megabytes, by the name that proc_pid_status(5) gives: VmRSS now, VmHWM at most. */
export function memoryOf(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${which}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
