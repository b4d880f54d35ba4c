/** How the reader's steps fall into place, with a kernel and clocks that stand still, hurry and oversleep as told. */

import { open } from 'bcc-bindings'
import fc from 'fast-check'
import t from 'tap'
import { objectPath } from '../../../probe/kernel/load.ts'
import { Reader, type ReaderKernel } from '../../../probe/read/read.ts'
import type { Window } from '../../../probe/read/window.ts'
import type { Flows, Pass } from '../../../probe/signals/flows.ts'
import { numberOf, type Rows, viewOf } from '../../../wire/layout.ts'
import { encodeRows, tcpFlowLayout } from '../../harness/rows.ts'

const layout = tcpFlowLayout()
const object = open(objectPath())
t.teardown(() => object.close())
const MS = 1_000_000
/** Above 2^32 ns, so that both halves of a time count. */
const BOOT_MS = 5_000_000

interface Life {
  readonly openedMs: number
  readonly livesMs: number
}

interface Flow {
  readonly openedMs: number
  readonly closedMs: number
  reportedMs: number
  countedMs: number
}

/** Flows as the hooks and the pass tell of them, while time goes on by a step whenever somebody looks. */
class Machine {
  readonly flows = [{ layout, tellsClose: true }]
  nowMs = BOOT_MS
  take: (records: Buffer) => void = () => {}
  readonly #flows: readonly Flow[]
  readonly #steps: readonly number[]
  #looks = 0

  constructor(lives: readonly Life[], steps: readonly number[]) {
    this.#steps = steps
    this.#flows = lives.map(({ openedMs, livesMs }) => ({
      openedMs: BOOT_MS + openedMs,
      closedMs: BOOT_MS + openedMs + livesMs,
      reportedMs: 0,
      countedMs: BOOT_MS + openedMs,
    }))
  }

  bootNs = () => BigInt(this.nowMs) * BigInt(MS)
  wallNs = () => BigInt(this.nowMs + 1_700_000_000_123) * BigInt(MS)

  drain(): void {
    const before = this.nowMs
    this.nowMs += this.#steps[this.#looks++ % this.#steps.length]!
    const closed = this.#flows.filter(({ closedMs }) => closedMs > before && closedMs <= this.nowMs)
    if (closed.length > 0)
      this.take(
        encodeRows(
          layout,
          closed.map(flow => this.#row(flow, flow.closedMs)),
        ),
      )
  }

  layout = (name: string) => object.layout(name)
  totals = () => [{ keys: Buffer.alloc(0), values: Buffer.alloc(0), count: 0 }]
  forgetTotals(): void {}

  async *report(_: Flows, endNs: bigint, pass: Pass): AsyncGenerator<Rows> {
    const endMs = Number(endNs / BigInt(MS))
    const open = this.#flows.filter(flow => flow.openedMs < endMs && flow.closedMs > this.nowMs)
    const rows = open.map(flow => this.#row(flow, 0))
    for (const flow of open) flow.reportedMs = endMs
    pass.closing = 0
    if (rows.length > 0) yield { layout, bytes: encodeRows(layout, rows) }
  }

  /** A flow sends a byte a millisecond; its number is its socket. */
  #row(flow: Flow, closedMs: number) {
    const sinceMs = flow.countedMs
    flow.countedMs = closedMs || this.nowMs
    return {
      socket: this.#flows.indexOf(flow),
      opened_ns: flow.openedMs * MS,
      closed_ns: closedMs * MS,
      reported_ns: flow.reportedMs * MS,
      bytes_sent: flow.countedMs - sinceMs,
    }
  }
}

const field = (name: string) => numberOf(layout, name)
const [socket, closed, reported, sent] = ['socket', 'closed_ns', 'reported_ns', 'bytes_sent'].map(field)

/** Per flow what its rows said, window by window, until all are closed. */
async function read(lives: readonly Life[], steps: readonly number[]) {
  const machine = new Machine(lives, steps)
  const reader = new Reader(machine as unknown as ReaderKernel, machine, 1)
  reader.windows.waitMs = () => 0 // time is ours
  machine.take = records => reader.take('tcp_flow', records)
  const until = BOOT_MS + Math.max(0, ...lives.map(({ openedMs, livesMs }) => openedMs + livesMs))
  const windows: Window[] = []
  const seen = lives.map(() => ({ windows: [] as number[], opened: 0, closed: 0, sent: 0 }))
  for await (const { window, rows } of reader.read()) {
    const bytes = rows?.bytes ?? Buffer.alloc(0)
    const view = viewOf(bytes)
    for (let at = 0; at < bytes.length; at += layout.size) {
      const flow = seen[socket!(view, at)]!
      flow.windows.push(window.index)
      if (reported!(view, at) === 0) flow.opened++
      if (closed!(view, at) !== 0) flow.closed++
      flow.sent += sent!(view, at)
    }
    if (!rows) windows.push(window)
    if (!rows && Number(window.endNs / BigInt(MS)) > until) reader.stop()
  }
  return { windows, seen }
}

const life = fc.record({
  openedMs: fc.integer({ min: 1, max: 12_000 }),
  livesMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 8000 })),
})
/** How long it takes until somebody looks again; the last ones are a machine that does not come to it, or slept. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 150 }) },
  { weight: 1, arbitrary: fc.integer({ min: 900, max: 4000 }) },
  { weight: 1, arbitrary: fc.constant(9000) },
)

t.test('however late somebody looks, a flow is once in each window that it lived in', async t => {
  const property = fc.asyncProperty(
    fc.array(life, { minLength: 1, maxLength: 30 }),
    fc.array(step, { minLength: 1, maxLength: 20 }).map(steps => [...steps, 40]),
    async (lives, steps) => {
      const { windows, seen } = await read(lives, steps)
      for (const [index, { openedMs, livesMs }] of lives.entries()) {
        const opened = BigInt((BOOT_MS + openedMs) * MS)
        const closed = opened + BigInt(livesMs * MS)
        const lived = windows.filter(({ startNs, endNs }) => opened < endNs && closed >= startNs)
        t.same(seen[index], { windows: lived.map(({ index }) => index), opened: 1, closed: 1, sent: livesMs })
      }
    },
  )
  await fc.assert(property, { numRuns: 40 })
})

t.test('a flow that opened and closed after a window that was read late is not in it', async t => {
  // looked at once at 0.04 s, then after 3.5 s: three windows are over, the flow was only in the last of them
  const { windows, seen } = await read([{ openedMs: 2500, livesMs: 20 }], [40, 3500, 40, 40, 40])
  const home = windows.find(({ startNs, endNs }) => {
    const opened = BigInt((BOOT_MS + 2500) * MS)
    return startNs <= opened && opened < endNs
  })
  t.same(seen[0]!.windows, [home!.index])
})
