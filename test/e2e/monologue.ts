/** A container that talks to itself. */

import type { Test } from 'tap'
import { type Node, startNode } from '../harness/node.ts'
import { type Container, IDLE } from '../harness/pod.ts'
import { client, connected, serve } from './pair.ts'

export interface Monologue {
  readonly node: Node
  readonly container: Container
  /** Opens some more connections, which stay. */
  open(count: number): Promise<void>
}

export async function startMonologue(t: Test): Promise<Monologue> {
  const node = await startNode()
  t.teardown(() => node.close())
  const pod = await node.runPod({
    name: 'talk-0',
    namespace: 'trade',
    containers: [{ name: 'main', command: IDLE }],
  })
  const { main } = pod.containers
  await serve(node, main, '127.0.0.1', '80')
  const load = client(node, main)
  let opened = 0
  return {
    node,
    container: main,
    async open(count) {
      await load.ask(`open ${count} 127.0.0.1 80`)
      opened += count
      await connected(pod.netns, 2 * opened)
    },
  }
}
