/** Request and response on connections that stay: CPU of the whole machine for each. */

import { busySeconds } from './cpu.ts'
import { compare, percent } from './paired.ts'
import { stage } from './stage.ts'

const CONNECTIONS = 50
const BYTES = 100

export async function benchRequests(rounds = 3, requests = 200_000): Promise<string[][]> {
  const lines: string[][] = []
  for (const transport of ['tcp', 'udp']) {
    const { netns, load, server, close } = await stage()
    try {
      await server('127.0.0.1', '8000', '--transport', transport)
      const client = await load('client', '--transport', transport)
      await client.ask(`open ${CONNECTIONS} 127.0.0.1 8000`)
      const echo = async () => {
        const before = busySeconds()
        await client.ask(`echo ${requests / CONNECTIONS} ${BYTES}`, 120_000)
        return ((busySeconds() - before) / requests) * 1e6
      }
      const own = (name: string) => !/bpftrace|conntrack/.test(name)
      for (const { name, cost, added } of await compare(netns, rounds, echo, own))
        lines.push([
          `${transport} request and response, ${name}`,
          `${cost.toFixed(2)} µs${added === undefined ? '' : `, ${percent(added)}`}`,
        ])
    } finally {
      await close()
    }
  }
  return lines
}
