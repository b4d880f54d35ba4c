/** Connections that live a moment, as fast as the machine can: CPU of the whole machine per connection, paired. */

import { loadBinary } from '../harness/binary.ts'
import { createNetns, inNetns, type Netns } from '../harness/netns.ts'
import { type Child, start } from '../harness/process.ts'
import { CLIENT, Watch } from '../harness/watch.ts'
import { busySeconds, median } from './cpu.ts'

const ROUNDS = 5
const CONNECTIONS = 40_000

async function churn(client: Child): Promise<number> {
  const before = busySeconds()
  await client.ask(`churn ${CONNECTIONS} 127.0.0.1 8000 4`, 120_000)
  return ((busySeconds() - before) / CONNECTIONS) * 1e6
}

export async function benchChurn(): Promise<string[][]> {
  const netns: Netns & { close(): Promise<void> } = await createNetns()
  const children: Child[] = []
  const load = async (...words: string[]) => {
    const child = start(inNetns(netns.path, [await loadBinary(), ...words]))
    children.push(child)
    return child
  }
  try {
    await (await load('server', '127.0.0.1', '8000', '--ports', '4', '--forks', '2')).line(/listening/)
    const client = await load('client')
    await churn(client)
    const without: number[] = []
    const ratios: number[] = []
    let seen = 0
    for (let round = 0; round < ROUNDS; round++) {
      const bare = await churn(client)
      const watch = await Watch.start()
      const watched = await churn(client)
      await watch.windowEnd()
      await watch.windowEnd()
      seen += new Set(
        watch
          .in(netns.path)
          .filter(row => row.role === CLIENT)
          .map(row => row.cookie),
      ).size
      await watch.close()
      without.push(bare)
      ratios.push(watched / bare)
    }
    const added = (median(ratios) - 1) * 100
    return [
      ['churn, no agent', `${median(without).toFixed(1)} µs CPU per connection`],
      [
        'churn, with the hooks, ring and reader',
        `${added >= 0 ? '+' : ''}${added.toFixed(1)} % CPU per connection (median of ${ROUNDS} pairs)`,
      ],
      ['connections seen / made', `${seen} / ${ROUNDS * CONNECTIONS}`],
    ]
  } finally {
    for (const child of children) await child.close()
    await netns.close()
  }
}
