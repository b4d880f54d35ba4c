/** A load with and without agents, in turns: A B A C ..., again and again, so that a drifting machine cancels out. */

import { type Agent, bare, none, sockflux } from './agents.ts'
import { median } from './cpu.ts'
import type { Sides } from './stage.ts'

/** One run of the load. */
export interface Work {
  /** µs of CPU of the whole machine for one unit of it. */
  readonly cost: number
  /** Units a second. */
  readonly rate: number
}

interface SendOffset extends Work {
  /** Percent over the load without an agent of the same turn. */
  readonly added: number
  readonly seen: number | undefined
}

/** Medians over the rounds. */
export interface Compared extends Work {
  readonly name: string
  /** Undefined for no agent. */
  readonly added: number | undefined
  /** Connections that it says it saw, over all rounds. */
  readonly seen: number | undefined
}

/**
 * Bare hooks and Sockflux run next to each other, now the one first and now the other, so that their difference is of
 * a pair, too.
 * @returns every agent, and how many points Sockflux adds beyond bare hooks
 */
export async function compare(
  sides: Sides,
  rounds: number,
  work: () => Promise<Work>,
  peers: readonly Agent[] = [],
): Promise<{ compared: Compared[]; lessBare: number }> {
  const turns = new Map<Agent, SendOffset[]>([none, bare, sockflux, ...peers].map(agent => [agent, []]))
  await work()
  for (let round = 0; round < rounds; round++) {
    const pair = round % 2 === 0 ? [bare, sockflux] : [sockflux, bare]
    for (const agents of [pair, ...peers.map(peer => [peer])]) {
      const alone = await work()
      turns.get(none)!.push({ ...alone, added: 0, seen: undefined })
      for (const agent of agents) {
        const running = await agent.start(sides)
        const { cost, rate } = await work()
        const seen = await running.stop()
        turns.get(agent)!.push({ cost, rate, added: (cost / alone.cost - 1) * 100, seen })
      }
    }
  }
  const compared = [...turns].map(([agent, turns]) => ({
    name: agent.name,
    cost: median(turns.map(({ cost }) => cost)),
    rate: median(turns.map(({ rate }) => rate)),
    added: agent === none ? undefined : median(turns.map(({ added }) => added)),
    seen: turns.reduce<number | undefined>(
      (sum, { seen }) => (seen === undefined ? sum : (sum ?? 0) + seen),
      undefined,
    ),
  }))
  const bareTurns = turns.get(bare)!
  const lessBare = median(turns.get(sockflux)!.map(({ added }, round) => added - bareTurns[round]!.added))
  return { compared, lessBare }
}

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)}`

/**
 * @param load what ran
 * @param unit one of it: `a connection`
 * @param made how many connections there were for each agent, over all rounds; where they are to be seen
 */
export function linesOf(
  load: string,
  unit: string,
  { compared, lessBare }: Awaited<ReturnType<typeof compare>>,
  made?: number,
): string[][] {
  const lines = compared.map(({ name, cost, rate, added, seen }) => [
    `${load}, ${name}`,
    [
      `${cost.toFixed(2)} µs ${unit}`,
      `${Math.round(rate).toLocaleString('en')} a second`,
      ...(added === undefined ? [] : [`${signed(added)} %`]),
      ...(seen === undefined || made === undefined ? [] : [`${seen} of ${made} seen`]),
    ].join(', '),
  ])
  return [...lines, [`${load}, sockflux less bare hooks`, `${signed(lessBare)} points`]]
}
