/** Connections of two programs in a network namespace of their own, which stay until the test ends. */

import type { Test } from 'tap'
import { loadBinary } from '../harness/binary.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { start } from '../harness/process.ts'

export async function holdFlows(t: Test, count: number): Promise<void> {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const load = async (...words: string[]) => {
    const child = start(inNetns(netns.path, [await loadBinary(), ...words]))
    t.teardown(() => child.close())
    return child
  }
  await (await load('server', '127.0.0.1', '8000', '--ports', '4')).line(/listening/)
  const client = await load('client')
  t.match(await client.ask(`open ${count} 127.0.0.1 8000 4`), { opened: count })
}
