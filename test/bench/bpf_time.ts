/** What the kernel measures of each program: kernel.bpf_stats_enabled. Its own clock readings are in the figures. */

import { readFileSync, writeFileSync } from 'node:fs'
import { kernelWith } from '../harness/watch.ts'
import { ADDRESS, stage } from './stage.ts'

const SWITCH = '/proc/sys/kernel/bpf_stats_enabled'

export async function benchPrograms(connections = 20_000, datagrams = 20_000): Promise<string[][]> {
  const { client, server, close } = await stage()
  const before = readFileSync(SWITCH, 'utf8')
  const kernel = kernelWith({}, () => {})
  try {
    await server(8000, '--ports', '4', '--forks', '2')
    await server(9000, '--transport', 'udp')
    const [tcp, udp] = [await client(), await client('--transport', 'udp')]
    await udp.ask(`open 50 ${ADDRESS} 9000`)
    writeFileSync(SWITCH, '1')
    await tcp.ask(`churn ${connections} ${ADDRESS} 8000 4`, 60_000)
    await udp.ask(`echo ${datagrams / 50} 100`, 60_000)
    return kernel
      .stats()
      .filter(({ runCount }) => runCount > 1000n)
      .map(({ name, runCount, runTimeNs }) => [
        `${name}, ${connections} connections and ${datagrams} datagrams echoed`,
        `${runCount} runs, ${(Number(runTimeNs) / Number(runCount)).toFixed(0)} ns each`,
      ])
  } finally {
    writeFileSync(SWITCH, before)
    kernel.close()
    await close()
  }
}
