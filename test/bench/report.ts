/** One report over N established connections, both ends on this machine, against one `ss -tinp` over the same. */

import { bootTime } from 'bcc-bindings'
import { loadBinary } from '../harness/binary.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { type Child, run, start } from '../harness/process.ts'
import { kernelWith, tcpOf } from '../harness/watch.ts'
import { childSeconds, median, ownSeconds } from './cpu.ts'

const PER_CLIENT = 10_000
const PASSES = 7

export async function benchReport(): Promise<string[][]> {
  const netns = await createNetns()
  const children: Child[] = []
  const load = async (...words: string[]) => {
    const child = start(inNetns(netns.path, [await loadBinary(), ...words]))
    children.push(child)
    return child
  }
  const kernel = kernelWith({}, () => {})
  const flows = tcpOf(kernel)
  const lines: string[][] = []
  try {
    for (let port = 8000, sockets = 0; port < 8005; port++) {
      await (await load('server', '127.0.0.1', String(port), '--ports', '1')).line(/listening/)
      await (await load('client')).ask(`open ${PER_CLIENT} 127.0.0.1 ${port}`, 60_000)
      sockets += 2 * PER_CLIENT
      if (![20_000, 60_000, 100_000].includes(sockets)) continue
      const passes: number[] = []
      let rows = 0
      for (let pass = 0; pass < PASSES; pass++) {
        const before = ownSeconds()
        rows = 0
        for await (const page of kernel.report(flows, bootTime(), { closing: 0, missed: 0, guessed: 0 }))
          rows += page.length / flows.layout.size
        passes.push((ownSeconds() - before) * 1000)
      }
      const before = childSeconds()
      await run(inNetns(netns.path, ['sh', '-c', 'ss -tinp > /dev/null']), 120_000)
      const ss = (childSeconds() - before) * 1000
      const own = median(passes)
      lines.push([
        `one report, ${rows} sockets`,
        `${own.toFixed(1)} ms CPU, ${((own * 1e6) / rows).toFixed(0)} ns a socket; ss -tinp ${ss.toFixed(0)} ms`,
      ])
    }
    return lines
  } finally {
    kernel.close()
    for (const child of children) await child.close()
    await netns.close()
  }
}
