/** Where the time of a program goes: perf(1) looks at its threads, and Node.js writes a map of the functions it compiled. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { closable } from '../harness/cleanup.ts'
import { run, start } from '../harness/process.ts'
import { scratch } from '../harness/scratch.ts'
import { startCollector } from './collector.ts'
import { startProbe } from './probe.ts'
import { Hosts } from './simulated.ts'
import { Sockets } from './sockets.ts'
import { stage } from './stage.ts'

/** The map is not enough for V8: it writes a log, too, beside whatever runs. */
const NODE_FLAGS = ['--perf-basic-prof', '--no-logfile-per-isolate', '--logfile=/dev/null']
/** A virtual machine may have no counters of cycles. */
const RECORD = ['perf', 'record', '-e', 'cpu-clock', '-F', '997']
const READY_MS = 500 // it does not say when it looks
const MAX_LINES = 20
const SEPARATOR = '\t'

/** Without the kind of a symbol and the thread of V8's code; of a function's file the end of the path. */
const named = (part: string): string =>
  part.replace(/^\[[.k]\] |(?<=^\[JIT\]) tid.*/, '').replace(/ (?:file:\/\/)?\/\S*\/(\S+\/\S+)/, ' $1')

/** @returns what `--sort` asks for, and the share of self time in it; the largest first */
async function report(data: string, sort: string): Promise<string[][]> {
  const command = ['perf', 'report', '-i', data, '--stdio', '--no-children', '-t', SEPARATOR, '--sort', sort]
  const text = await run(command, 120_000)
  return text
    .split('\n')
    .filter(line => /^\s*[\d.]+%/.test(line))
    .slice(0, MAX_LINES)
    .map(line => {
      const [share = '', ...where] = line.split(SEPARATOR, 4).map(part => part.trim())
      return [where.map(named).join(', '), share]
    })
}

const look = (pid: number) =>
  closable(async cleanup => {
    const data = join(await scratch(cleanup, 'perf'), 'perf.data')
    cleanup.defer(() => rmSync(`/tmp/perf-${pid}.map`, { force: true })) // where perf looks, and so V8 writes
    const perf = start([...RECORD, '-p', String(pid), '-o', data])
    cleanup.defer(() => perf.close())
    await sleep(READY_MS)
    return { perf, data }
  })

/** Profiles a process while something happens. */
async function profile(pid: number, work: () => Promise<unknown>): Promise<string[][]> {
  const { perf, data, close } = await look(pid)
  try {
    await work()
    await perf.kill('SIGINT')
    return [...(await report(data, 'comm,dso')), ...(await report(data, 'comm,dso,symbol'))]
  } finally {
    await close()
  }
}

/** @param sockets both sides together, for the probe; the collector has as many hosts as in its bench */
export async function benchProfile(
  sockets = 100_000,
  hosts = 1000,
  windows = 10,
): Promise<{ probe: string[][]; collector: string[][] }> {
  const version = await run(['perf', '--version']).catch(() => '')
  const skipped = [['skipped', 'perf is missing: apt-get install linux-perf']]
  if (!version) return { probe: skipped, collector: skipped }
  return { probe: await profileProbe(sockets, windows), collector: await profileCollector(hosts, windows) }
}

async function profileProbe(sockets: number, windows: number): Promise<string[][]> {
  const place = await stage()
  try {
    await new Sockets(place).grow(sockets)
    const probe = await startProbe({ nodeFlags: NODE_FLAGS })
    try {
      await probe.windows(2)
      return await profile(probe.process.pid, () => probe.windows(windows))
    } finally {
      await probe.close()
    }
  } finally {
    await place.close()
  }
}

async function profileCollector(count: number, windows: number): Promise<string[][]> {
  const site = await startCollector({ metrics: 'flows', into: 'null' }, NODE_FLAGS)
  const hosts = new Hosts(site.endpoint, count, { containers: 20, rows: 1000 })
  try {
    await hosts.window()
    return await profile(site.process.pid, async () => {
      for (let window = 0; window < windows; window++) await hosts.window()
    })
  } finally {
    hosts.close()
    await site.close()
  }
}
