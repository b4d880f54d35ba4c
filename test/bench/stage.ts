/** A network namespace with load programs in it. */

import { loadBinary } from '../harness/binary.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { type Child, start } from '../harness/process.ts'

export interface Stage {
  readonly netns: string
  load(...words: string[]): Promise<Child>
  server(...words: string[]): Promise<Child>
  close(): Promise<void>
}

export async function stage(): Promise<Stage> {
  const netns = await createNetns()
  const children: Child[] = []
  const load = async (...words: string[]) => {
    const child = start(inNetns(netns.path, [await loadBinary(), ...words]))
    children.push(child)
    return child
  }
  return {
    netns: netns.path,
    load,
    async server(...words) {
      const server = await load('server', ...words)
      await server.line(/listening/)
      return server
    },
    async close() {
      for (const child of children) await child.close()
      await netns.close()
    },
  }
}
