/** What the kernel side adds to a connection, to a request and to a megabyte. */

import { readFileSync, writeFileSync } from 'node:fs'
import type { KernelOptions } from '../../../probe/signals/signal.ts'
import { type Load, SHAPES, startLoad } from './loads.ts'
import { type Cost, takeTurns } from './turns.ts'
import { emptyHooks, kernelSide, type Variant } from './variant.ts'

const SWITCH = '/proc/sys/kernel/bpf_stats_enabled'
/** ns that the kernel's own clock readings take in each run: an empty program shows them. */
const EMPTY_NS = 24

/** Besides the defaults. */
const FLAGS: Readonly<Record<string, Partial<KernelOptions>>> = {
  '`--rtt samples`': { rtt: 'samples' },
  '`--rtt smoothed`': { rtt: 'smoothed' },
  '`--udp packets`': { udp: 'packets' },
  '`--udp off`': { udp: 'off' },
}

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(2)}`

const lineOf = (unit: string, { name, us, added, error, percent, rounds }: Cost, index: number): string[] => [
  `${unit}, ${name}`,
  index === 0
    ? `${us.toFixed(2)} µs`
    : `${signed(added)} µs (± ${error.toFixed(2)}), ${signed(percent)} %, ${rounds} rounds`,
]

/** What each program of a variant takes of a unit. */
async function byHook(load: Load, variant: Variant): Promise<string[][]> {
  const before = readFileSync(SWITCH, 'utf8')
  variant.attach()
  try {
    writeFileSync(SWITCH, '1')
    const first = new Map(variant.stats().map(program => [program.name, program]))
    await load.work()
    return variant.stats().flatMap(({ name, runCount, runTimeNs }) => {
      const runs = Number(runCount - first.get(name)!.runCount)
      const ns = Number(runTimeNs - first.get(name)!.runTimeNs) / runs
      const us = ((ns - EMPTY_NS) * runs) / load.units / 1000
      if (runs < load.units / 100) return []
      const what = `${(runs / load.units).toFixed(2)} runs, ${ns.toFixed(0)} ns each, ${us.toFixed(2)} µs`
      return [[`${load.unit}, ${name}`, what]]
    })
  } finally {
    writeFileSync(SWITCH, before)
    variant.detach()
  }
}

/** @param before a built clone of another state of the project, to compare with */
export async function benchTurns(
  rounds = 40,
  before?: string,
  shapes = Object.keys(SHAPES) as (keyof typeof SHAPES)[],
): Promise<{ costs: string[][]; hooks: string[][] }> {
  const [costs, hooks]: [string[][], string[][]] = [[], []]
  for (const shape of shapes) {
    const load = await startLoad(shape)
    const variants: Variant[] = []
    try {
      const everything = await kernelSide('everything on')
      variants.push(emptyHooks(), everything)
      for (const [flags, options] of Object.entries(FLAGS)) variants.push(await kernelSide(flags, options))
      if (before !== undefined) variants.push(await kernelSide('before', {}, before))
      costs.push(
        ...(await takeTurns(load, variants, rounds)).map((cost, index) => lineOf(load.unit, cost, index)),
      )
      hooks.push(...(await byHook(load, everything)))
    } finally {
      for (const variant of variants) variant.close()
      await load.close()
    }
  }
  return { costs, hooks }
}
