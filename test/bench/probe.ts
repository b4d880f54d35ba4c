/** The probe as it is installed, with windows of one second, and a receiver that acknowledges and counts. */

import { join } from 'node:path'
import { Router } from 'zeromq'
import type { Layout } from '../../probe/wire/layout.ts'
import { decode, encodeAck, WINDOW } from '../../probe/wire/message.ts'
import { type Closable, closable } from '../harness/cleanup.ts'
import { type Child, start } from '../harness/process.ts'
import { freePort, logged } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

/** The command as operators have it. */
export const BUILT = join(import.meta.dirname, '../../build/sockflux')
/** What else Node.js is told. */
export const nodeWith = (flags: readonly string[]) =>
  flags.length > 0 ? { env: { NODE_OPTIONS: flags.join(' ') } } : {}

export interface Probe {
  readonly process: Child
  /** ms from its start until it counts. */
  readonly startMs: number
  /** The next window but `count - 1` has ended. @returns how many have ended so far */
  windows(count: number): Promise<number>
}

export interface ProbeOptions {
  readonly flags?: readonly string[]
  /** Of Node.js. */
  readonly nodeFlags?: readonly string[]
  readonly onRows?: (layout: Layout, rows: Buffer) => void
}

export function startProbe({
  flags = [],
  nodeFlags = [],
  onRows,
}: ProbeOptions = {}): Promise<Probe & Closable> {
  return closable(async cleanup => {
    const endpoint = `tcp://127.0.0.1:${await freePort()}`
    const router = new Router({ linger: 0 })
    let ended = 0
    await router.bind(endpoint)
    const receiving = (async () => {
      for await (const [route, ...frames] of router) {
        const message = decode(frames)
        if ('parts' in message) for (const { layout, bytes } of message.parts) onRows?.(layout, bytes)
        if (message.topic === WINDOW) {
          ended++
          await router.send([route!, ...encodeAck(message.head)])
        }
      }
    })()
    cleanup.defer(() => receiving)
    cleanup.defer(() => router.close())
    const started = performance.now()
    const command = [BUILT, 'probe', '--collector', endpoint, '--interval', '1', ...flags]
    const child = start(command, nodeWith(nodeFlags))
    cleanup.defer(() => child.close())
    await logged(child, /"msg":"started"/, 60_000)
    return {
      process: child,
      startMs: performance.now() - started,
      async windows(count) {
        const last = ended + count
        await until(`${count} windows`, () => ended >= last, 60_000)
        return ended
      },
    }
  })
}
