import { readFileSync } from 'node:fs'

/** Ticks of /proc/stat per second: sysconf(_SC_CLK_TCK) is 100 on every Linux that Node.js runs on. */
const TICKS = 100

/** Seconds that all cores were busy since boot, interrupts included. */
export function busySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) / TICKS
}

/** Seconds of CPU, user and system, of this process and of the kernel on its behalf. */
export function ownSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Seconds of CPU of the children that have ended. */
export function childSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /, '').split(' ')
  return (Number(fields[13]) + Number(fields[14])) / TICKS
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** Seconds of CPU of a process. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}
