/**
 * A load that goes on while variants are attached in turns of a fraction of a second, in random order: what drifts on the
 * machine meets all of them. Each turn is compared with the one of its round that has nothing attached.
 */

import { median } from '../cpu.ts'
import type { Load } from './loads.ts'
import type { Variant } from './variant.ts'

export interface Cost {
  readonly name: string
  /** µs of CPU of client and server for a unit: the median. */
  readonly us: number
  /** µs more than with nothing attached: the mean, its standard error, and percent of the median with nothing. */
  readonly added: number
  readonly error: number
  readonly percent: number
  /** Rounds that count. */
  readonly rounds: number
}

const shuffled = <T>(values: readonly T[]): T[] =>
  values
    .map(value => ({ value, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ value }) => value)

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Without the values beyond four median absolute deviations: another program ran. */
function trimmed(values: readonly number[]): number[] {
  const middle = median(values)
  const spread = 1.4826 * median(values.map(value => Math.abs(value - middle)))
  return values.filter(value => Math.abs(value - middle) <= 4 * spread)
}

function costOf(name: string, us: readonly number[], alone: readonly number[]): Cost {
  const added = trimmed(us.map((value, round) => value - alone[round]!))
  const middle = mean(added)
  const variance =
    added.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(added.length - 1, 1)
  return {
    name,
    us: median(us),
    added: middle,
    error: Math.sqrt(variance / added.length),
    percent: (middle / median(alone)) * 100,
    rounds: added.length,
  }
}

/** @returns the load alone, then each variant */
export async function takeTurns(load: Load, variants: readonly Variant[], rounds: number): Promise<Cost[]> {
  const turns = new Map<Variant | undefined, number[]>([undefined, ...variants].map(variant => [variant, []]))
  for (const variant of variants) {
    variant.attach()
    await variant.scan()
    await load.work()
    variant.detach()
  }
  for (let round = 0; round < rounds; round++)
    for (const variant of shuffled([...turns.keys()])) {
      variant?.attach()
      const before = load.cpuNs()
      await load.work()
      const us = (load.cpuNs() - before) / 1000 / load.units
      variant?.detach()
      turns.get(variant)!.push(us)
    }
  const alone = turns.get(undefined)!
  return [...turns].map(([variant, us]) => costOf(variant?.name ?? 'nothing attached', us, alone))
}
