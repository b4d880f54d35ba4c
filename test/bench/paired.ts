/** A load with and without each agent, in turns: A B A C ..., again and again, so that a drifting machine cancels out. */

import { AGENTS } from './agents.ts'
import { median } from './cpu.ts'

export interface Compared {
  readonly name: string
  /** µs of CPU of the whole machine for one unit of the load, the median over the rounds. */
  readonly cost: number
  /** Percent over the load without an agent that ran just before, the median over the rounds; undefined for none. */
  readonly added: number | undefined
  /** Client connections that it says it saw, over all rounds. */
  readonly seen: number | undefined
}

/**
 * @param work runs the load and gives µs of CPU for one unit of it
 * @param settle what waits for a load to be over for good
 */
export async function compare(
  netns: string,
  rounds: number,
  work: () => Promise<number>,
  wanted: (name: string) => boolean = () => true,
): Promise<Compared[]> {
  const [none, ...agents] = AGENTS.filter(({ name }) => wanted(name))
  const costs = new Map(AGENTS.map(({ name }) => [name, [] as number[]]))
  const ratios = new Map(AGENTS.map(({ name }) => [name, [] as number[]]))
  const seen = new Map<string, number>()
  await work()
  for (let round = 0; round < rounds; round++)
    for (const agent of agents) {
      const before = await work()
      const running = await agent.start(netns)
      const cost = await work()
      const count = await running.stop()
      costs.get(none!.name)!.push(before)
      costs.get(agent.name)!.push(cost)
      ratios.get(agent.name)!.push(cost / before)
      if (count !== undefined) seen.set(agent.name, (seen.get(agent.name) ?? 0) + count)
    }
  return [none!, ...agents].map(({ name }) => ({
    name,
    cost: median(costs.get(name)!),
    added: name === none!.name ? undefined : (median(ratios.get(name)!) - 1) * 100,
    seen: seen.get(name),
  }))
}

export const percent = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)} %`
