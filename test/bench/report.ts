/**
 * One report over N established connections, both ends on this machine: CPU of kernel and addon, of a whole probe, what a
 * neighbour on the same core feels of it, and what `ss -tinp` takes for the same sockets.
 */

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { bootTime } from 'bcc-bindings'
import { inNetns } from '../harness/netns.ts'
import { run } from '../harness/process.ts'
import { kernelWith, tcpOf } from '../harness/watch.ts'
import { startProbe } from './agents.ts'
import { childSeconds, cpuSecondsOf, median, ownSeconds } from './cpu.ts'
import { delays } from './neighbour.ts'
import { type Stage, stage } from './stage.ts'

const PER_CLIENT = 10_000
const PASSES = 9
const SIZES = [10_000, 50_000, 100_000]

/** Sockets of the machine, both ends, in steps of one client with its server. */
async function grow(stage: Stage, to: number, opened: { sockets: number }): Promise<void> {
  while (opened.sockets < to) {
    const count = Math.min(PER_CLIENT, (to - opened.sockets) / 2)
    const port = String(8000 + Math.floor(opened.sockets / 1000))
    await stage.server('127.0.0.1', port, '--ports', '1')
    const client = await stage.load('client')
    await client.ask(`open ${count} 127.0.0.1 ${port}`, 60_000)
    opened.sockets += 2 * count
  }
}

async function passes(): Promise<{ ms: number; rows: number; startMs: number }> {
  const started = performance.now()
  const kernel = kernelWith({}, () => {})
  try {
    await kernel.scan()
    const startMs = performance.now() - started
    const flows = tcpOf(kernel)
    const times: number[] = []
    let rows = 0
    for (let pass = 0; pass < PASSES; pass++) {
      const before = ownSeconds()
      rows = 0
      for await (const page of kernel.report(flows, bootTime(), { closing: 0, missed: 0, guessed: 0 }))
        rows += page.length / flows.layout.size
      times.push((ownSeconds() - before) * 1000)
    }
    return { ms: median(times), rows, startMs }
  } finally {
    kernel.close()
  }
}

/** How others learn of the same sockets and their owners, once. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'ss -tinp': ['sh', '-c', 'ss -tinp >/dev/null'],
  'a scan of /proc': [
    'sh',
    '-c',
    'cat /proc/net/tcp /proc/net/tcp6 >/dev/null; ls -l /proc/[0-9]*/fd >/dev/null 2>&1; true',
  ],
  systeminformation: [
    process.execPath,
    ...['--input-type=module', '-e', "await (await import('systeminformation')).networkConnections()"],
  ],
}

async function others(netns: string): Promise<string> {
  const costs: string[] = []
  for (const [name, command] of Object.entries(OTHERS)) {
    const before = childSeconds()
    await run(inNetns(netns, command), 120_000)
    costs.push(`${name} ${((childSeconds() - before) * 1000).toFixed(0)} ms`)
  }
  return costs.join(', ')
}

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/**
 * A whole probe, windows of one second: CPU for each window, memory, and the delay of a neighbour meanwhile.
 * @param ms how long it is looked at
 */
async function wholeProbe(ms: number) {
  const alone = await delays(ms)
  const { probe, ends, stop } = await startProbe(() => {})
  try {
    while (ends() < 2) await sleep(50)
    const [before, first] = [cpuSecondsOf(probe.pid), ends()]
    const beside = await delays(ms)
    const windows = Math.max(1, ends() - first)
    const cpu = ((cpuSecondsOf(probe.pid) - before) / windows) * 1000
    return { cpu, resident: residentMb(probe.pid), alone, beside }
  } finally {
    await stop()
  }
}

export async function benchReport(sizes: readonly number[] = SIZES, lookMs = 8000): Promise<string[][]> {
  const place = await stage()
  const opened = { sockets: 0 }
  const lines: string[][] = []
  try {
    const idle = await wholeProbe(lookMs)
    lines.push([
      'probe without sockets',
      `${idle.cpu.toFixed(0)} ms CPU a window, ${idle.resident.toFixed(0)} MB`,
    ])
    for (const size of sizes) {
      await grow(place, size, opened)
      const { ms, rows, startMs } = await passes()
      const other = await others(place.netns)
      const { cpu, resident, alone, beside } = await wholeProbe(lookMs)
      lines.push(
        [
          `one report, ${rows} sockets, kernel and addon`,
          `${ms.toFixed(1)} ms CPU, ${((ms * 1e6) / rows).toFixed(0)} ns a socket; ${other}`,
        ],
        [
          `whole probe, ${rows} sockets, windows of 1 s`,
          `${cpu.toFixed(0)} ms CPU a window, ${resident.toFixed(0)} MB`,
        ],
        [
          `neighbour's p99.9 delay, ${rows} sockets`,
          `${alone.toFixed(2)} ms alone, ${beside.toFixed(2)} ms beside`,
        ],
        [`start with ${rows} older sockets`, `${startMs.toFixed(0)} ms`],
      )
    }
    return lines
  } finally {
    await place.close()
  }
}
