/** The probe as it is installed, with windows of one second, and a receiver that acknowledges and counts. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Router } from 'zeromq'
import { encodeAck } from '../../wire/ack.ts'
import type { Layout } from '../../wire/layout.ts'
import { decode, WINDOW } from '../../wire/message.ts'
import { type Closable, closable } from '../harness/cleanup.ts'
import { type Child, start } from '../harness/process.ts'
import { freePort, logged } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The command as operators have it, or as `build/sockflux` would start it with more flags for Node.js. */
export function sockflux(nodeFlags: readonly string[]): string[] {
  if (nodeFlags.length === 0) return [join(ROOT, 'build/sockflux')]
  const built = join(ROOT, 'dist/cli/sockflux.js')
  const [, , , ...own] = readFileSync(built, 'utf8').split('\n')[0]!.split(' ') // #!/usr/bin/env -S node ...
  return [process.execPath, ...own, ...nodeFlags, built]
}

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
    const command = [...sockflux(nodeFlags), 'probe', '--collector', endpoint, '--interval', '1']
    const child = start([...command, ...flags])
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
