/** Connections that live a moment, as fast as the machine can: CPU of the whole machine per connection, paired. */

import { kernelClock } from '../../probe/kernel.ts'
import { Reader } from '../../probe/read.ts'
import { numberOf, viewOf } from '../../probe/wire/layout.ts'
import { loadBinary } from '../harness/binary.ts'
import { createNetns, inNetns, type Netns } from '../harness/netns.ts'
import { type Child, start } from '../harness/process.ts'
import { CLIENT, kernelWith, netnsOf, tcpOf } from '../harness/watch.ts'
import { busySeconds, median } from './cpu.ts'

const ROUNDS = 5
const CONNECTIONS = 40_000

async function churn(client: Child): Promise<number> {
  const before = busySeconds()
  await client.ask(`churn ${CONNECTIONS} 127.0.0.1 8000 4`, 120_000)
  return ((busySeconds() - before) / CONNECTIONS) * 1e6
}

/** The probe's kernel side and reader; counts each client's first row, as the collector does, and builds nothing else. */
async function watching(netns: string): Promise<{ stop(): Promise<number> }> {
  const kernel = kernelWith({}, (ring, records) => {
    if (ring === 'tcp_flow') reader.take(ring, records)
  })
  const reader = new Reader(kernel, kernelClock, 1)
  await kernel.scan()
  const inode = netnsOf(netns)
  const layout = tcpOf(kernel).layout
  const [role, reported, namespace] = ['role', 'reported_ns', 'netns'].map(name => numberOf(layout, name))
  let seen = 0
  let ends = 0
  const reading = (async () => {
    for await (const { rows } of reader.read()) {
      if (!rows) ends++
      if (rows?.layout.name !== 'tcp_flow') continue
      const view = viewOf(rows.bytes)
      for (let at = 0; at < rows.bytes.length; at += layout.size)
        if (namespace!(view, at) === inode && role!(view, at) === CLIENT && reported!(view, at) === 0) seen++
    }
  })()
  return {
    async stop() {
      const last = ends + 2
      while (ends < last) await new Promise(resolve => setTimeout(resolve, 50))
      reader.stop()
      await reading
      kernel.close()
      return seen
    },
  }
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
      const watch = await watching(netns.path)
      const watched = await churn(client)
      seen += await watch.stop()
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
