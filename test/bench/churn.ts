/** Connections that live a moment, as fast as the machine can: CPU of the whole machine for each. */

import { busySeconds } from './cpu.ts'
import { compare, percent } from './paired.ts'
import { stage } from './stage.ts'

export async function benchChurn(
  rounds = 3,
  connections = 40_000,
  wanted?: (name: string) => boolean,
): Promise<string[][]> {
  const { netns, load, server, close } = await stage()
  try {
    await server('127.0.0.1', '8000', '--ports', '4', '--forks', '2')
    const client = await load('client')
    const churn = async () => {
      const before = busySeconds()
      await client.ask(`churn ${connections} 127.0.0.1 8000 4`, 120_000)
      return ((busySeconds() - before) / connections) * 1e6
    }
    const compared = await compare(netns, rounds, churn, wanted)
    return compared.map(({ name, cost, added, seen }) => [
      `churn, ${name}`,
      [
        `${cost.toFixed(1)} µs a connection`,
        ...(added === undefined ? [] : [percent(added)]),
        ...(seen === undefined ? [] : [`${seen} of ${rounds * connections} seen`]),
      ].join(', '),
    ])
  } finally {
    await close()
  }
}
