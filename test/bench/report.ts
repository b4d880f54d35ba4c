/**
 * N established connections, half of the sockets on each side: one report of the kernel side and what others take for the
 * same sockets; a whole probe, and what a neighbour on the same cores feels of it.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { bootTime } from 'bcc-bindings'
import { kernelWith, tcpOf } from '../harness/watch.ts'
import { type Cpu, cpuOf, median, memoryOf, ownSeconds, since } from './cpu.ts'
import { mapsMemory } from './maps.ts'
import { delays } from './neighbour.ts'
import { others } from './others.ts'
import { startProbe } from './probe.ts'
import { Sockets } from './sockets.ts'
import { stage } from './stage.ts'

const PASSES = 9

interface Passes {
  readonly rows: number
  /** ms, the medians of a pass. */
  readonly cpu: number
  readonly wall: number
  /** ms until the kernel side knows all sockets. */
  readonly start: number
}

async function passes(): Promise<Passes> {
  const began = performance.now()
  const kernel = kernelWith({}, () => {})
  try {
    await kernel.scan()
    const start = performance.now() - began
    const flows = tcpOf(kernel)
    const [cpu, wall]: [number[], number[]] = [[], []]
    let rows = 0
    for (let pass = 0; pass < PASSES; pass++) {
      const [cpuBefore, wallBefore] = [ownSeconds(), performance.now()]
      rows = 0
      for await (const page of kernel.report(flows, bootTime(), {
        closing: 0,
        missed: 0,
        guessed: 0,
        unused: 0,
      }))
        rows += page.bytes.length / page.layout.size
      wall.push(performance.now() - wallBefore)
      cpu.push((ownSeconds() - cpuBefore) * 1000)
    }
    return { rows, cpu: median(cpu), wall: median(wall), start }
  } finally {
    kernel.close()
  }
}

interface Whole {
  readonly windows: number
  readonly cpu: Cpu
  readonly startMs: number
  /** MB, of the process and of its BPF maps. */
  readonly resident: number
  readonly maps: number
}

/** A whole probe while something else happens: CPU from the end of a window to the end of a window. */
async function beside(work: () => Promise<unknown>, flags: readonly string[] = []): Promise<Whole> {
  const probe = await startProbe({ flags })
  const { pid } = probe.process
  try {
    const first = await probe.windows(2)
    const before = cpuOf(pid)
    await work()
    const last = await probe.windows(1)
    const cpu = since(before, cpuOf(pid))
    const memory = { resident: memoryOf(pid, 'VmRSS'), maps: mapsMemory(pid) }
    return { windows: last - first, cpu, startMs: probe.startMs, ...memory }
  } finally {
    await probe.close()
  }
}

const cpuLine = (looks: readonly Whole[]): string => {
  const windows = looks.reduce((sum, look) => sum + look.windows, 0)
  const ms = (kind: keyof Cpu) => (looks.reduce((sum, { cpu }) => sum + cpu[kind], 0) / windows) * 1000
  return `${ms('user').toFixed(0)} ms user and ${ms('kernel').toFixed(0)} ms kernel CPU a window`
}

const memoryLine = ({ resident, maps }: Whole): string =>
  `${resident.toFixed(0)} MB resident, ${maps.toFixed(0)} MB in BPF maps`

/**
 * @param sizes sockets, both sides together, rising
 * @param pairs looks at the neighbour without and with the probe, of `lookMs` each
 * @returns tables of the reports and their neighbour, and of memory and start
 */
export async function benchReport(
  sizes: readonly number[] = [0, 10_000, 50_000, 100_000],
  pairs = 5,
  lookMs = 2000,
): Promise<{ report: string[][]; memory: string[][] }> {
  const place = await stage()
  const sockets = new Sockets(place)
  const [report, memory]: [string[][], string[][]] = [[], []]
  try {
    for (const size of sizes) {
      await sockets.grow(size)
      const what = `${size.toLocaleString('en')} sockets`
      const { rows, cpu, wall, start } = await passes()
      if (rows < size) throw new Error(`${rows} rows for ${size} sockets`)
      if (size > 0)
        report.push([
          `one report, ${what}, kernel and addon`,
          `${rows} rows, ${cpu.toFixed(1)} ms CPU, ${wall.toFixed(1)} ms wall, ${((cpu * 1e6) / rows).toFixed(0)} ns a socket; ${await others(place)}`,
        ])
      const [alone, late]: [number[], number[]] = [[], []]
      const looks: Whole[] = []
      for (let pair = 0; pair < pairs; pair++) {
        alone.push(await delays(lookMs))
        looks.push(await beside(async () => late.push(await delays(lookMs))))
      }
      const folding = await beside(() => sleep(pairs * lookMs), ['--fold'])
      const [before, after] = [median(alone), median(late)]
      report.push(
        [`whole probe, ${what}, windows of 1 s`, cpuLine(looks)],
        [`whole probe with \`--fold\`, ${what}, windows of 1 s`, cpuLine([folding])],
        [
          `neighbour's p99.9 delay, ${what}, medians of ${pairs}`,
          `${before.toFixed(2)} ms alone, ${after.toFixed(2)} ms beside, ${(after - before).toFixed(2)} ms more`,
        ],
      )
      const startMs = median(looks.map(look => look.startMs))
      memory.push(
        [`whole probe, ${what}`, memoryLine(looks.at(-1)!)],
        [`whole probe with \`--fold\`, ${what}`, memoryLine(folding)],
        [
          `start with ${what}`,
          `${startMs.toFixed(0)} ms until it counts, of which ${start.toFixed(0)} ms load the programs and find the sockets`,
        ],
      )
    }
    return { report, memory }
  } finally {
    await place.close()
  }
}
