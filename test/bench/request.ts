/** Request and response on connections that stay: CPU of the whole machine for each. */

import { busySeconds } from './cpu.ts'
import { compare, linesOf } from './paired.ts'
import { ADDRESS, stage } from './stage.ts'

const CONNECTIONS = 50
const BYTES = 100

export async function benchRequests(rounds = 5, requests = 200_000): Promise<string[][]> {
  const lines: string[][] = []
  for (const transport of ['tcp', 'udp']) {
    const place = await stage()
    try {
      await place.server(8000, '--transport', transport)
      const client = await place.client('--transport', transport)
      await client.ask(`open ${CONNECTIONS} ${ADDRESS} 8000`)
      const echo = async () => {
        const before = busySeconds()
        const { echoed, seconds } = await client.ask<{ echoed: number; seconds: number }>(
          `echo ${requests / CONNECTIONS} ${BYTES}`,
          120_000,
        )
        if (echoed !== requests) throw new Error(`${echoed} of ${requests} requests answered`)
        return { cost: ((busySeconds() - before) / requests) * 1e6, rate: requests / seconds }
      }
      const compared = await compare(place, rounds, echo)
      lines.push(...linesOf(`${transport} request and response`, 'a request', compared))
    } finally {
      await place.close()
    }
  }
  return lines
}
