/** Connections that live a moment, as fast as the machine can: CPU of the whole machine for each. */

import type { Agent } from './agents.ts'
import { busySeconds } from './cpu.ts'
import { compare, linesOf } from './paired.ts'
import { peers } from './peers.ts'
import { ADDRESS, stage } from './stage.ts'

const PORTS = 4

export async function benchChurn(
  rounds = 5,
  connections = 40_000,
  beside: readonly Agent[] = peers,
): Promise<string[][]> {
  const place = await stage()
  try {
    await place.server(8000, '--ports', String(PORTS), '--forks', '2')
    const client = await place.client()
    const churn = async () => {
      const before = busySeconds()
      const { churned, seconds } = await client.ask<{ churned: number; seconds: number }>(
        `churn ${connections} ${ADDRESS} 8000 ${PORTS}`,
        120_000,
      )
      if (churned !== connections) throw new Error(`${churned} of ${connections} connections made`)
      return { cost: ((busySeconds() - before) / connections) * 1e6, rate: connections / seconds }
    }
    const compared = await compare(place, rounds, churn, beside)
    return linesOf('churn', 'a connection', compared, rounds * connections)
  } finally {
    await place.close()
  }
}
