/** Two pods of two containers each, one of them idle, joined by a wire with a delay. */

import { type Closable, closable } from '../harness/cleanup.ts'
import { link } from '../harness/delay.ts'
import { type Node, startNode } from '../harness/node.ts'
import { type Container, IDLE, type Pod } from '../harness/pod.ts'
import type { Child } from '../harness/process.ts'
import { ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'

export interface End {
  readonly pod: Pod<'main' | 'idle'>
  /** On the wire. */
  readonly address: string
}

export interface Pair {
  readonly node: Node
  readonly shop: End
  readonly cart: End
}

export interface PairOptions {
  readonly rttMs: number
  /** Loses every Nth packet of each direction. */
  readonly dropEvery?: number
  readonly namespace?: string
}

export function startPair({
  rttMs,
  dropEvery = 0,
  namespace = 'trade',
}: PairOptions): Promise<Pair & Closable> {
  return closable(async cleanup => {
    const node = await startNode()
    cleanup.defer(() => node.close())
    const run = (name: string) =>
      node.runPod({
        name,
        namespace,
        containers: [
          { name: 'main', command: IDLE },
          { name: 'idle', command: IDLE },
        ],
      })
    const shop = { pod: await run('shop-0'), address: '10.9.0.1' }
    const cart = { pod: await run('cart-0'), address: '10.9.0.2' }
    const ends = { nsA: shop.pod.netns, nsB: cart.pod.netns, addrA: shop.address, addrB: cart.address }
    const wire = await link({ ...ends, rttMs, dropEvery })
    cleanup.defer(() => wire.close())
    return { node, shop, cart }
  })
}

/** A server in a container, once it listens. */
export async function serve(node: Node, container: Container, ...words: string[]): Promise<Child> {
  const server = node.start(container, ['/bin/load', 'server', ...words])
  await server.line(/listening/)
  return server
}

export const client = (node: Node, container: Container): Child =>
  node.start(container, ['/bin/load', 'client'])

/** The kernel has so many connected sockets in the network namespace: whatever opened or closed has done so. */
export async function connected(netns: string, count: number): Promise<void> {
  await until(`${count} connected sockets`, async () => (await ss({ netns })).length === count)
}
