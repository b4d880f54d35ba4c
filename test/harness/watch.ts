import { statSync } from 'node:fs'
import { bootTime } from 'bcc-bindings'
import { Kernel, type KernelOptions, kernelClock, type Pass } from '../../probe/kernel.ts'
import { Reader } from '../../probe/read.ts'
import { Router } from '../../probe/route.ts'
import type { Window } from '../../probe/window.ts'
import { type Layout, numberOf, textOf, viewOf } from '../../probe/wire/layout.ts'
import type { NumberField, TcpFlow } from '../../probe/wire/records.ts'

/** A row of `tcp_flow` as an object: its numbers and its name; times in nanoseconds since boot. */
export type Row = Record<NumberField<TcpFlow>, number> & {
  readonly comm: string
  /** Exact, as text: what `ss -e` prints after `sk:` is the same in hexadecimal. */
  readonly cookie: string
  /** The window that the row belongs to. */
  readonly window: number
}

export const CLIENT = 1
export const SERVER = 2

export function rowsOf(layout: Layout, rows: Buffer, window: number): Row[] {
  const view = viewOf(rows)
  const numbers = layout.fields
    .filter(({ type }) => type !== 'bytes')
    .map(({ name }) => [name, numberOf(layout, name)] as const)
  const comm = textOf(layout, 'comm')
  const cookie = layout.fields.find(({ name }) => name === 'socket')!.offset
  return Array.from({ length: rows.length / layout.size }, (_, index) => {
    const at = index * layout.size
    return {
      ...Object.fromEntries(numbers.map(([name, read]) => [name, read(view, at)])),
      comm: comm(rows, at),
      cookie: view.getBigUint64(at + cookie, true).toString(16),
      window,
    } as Row
  })
}

export const netnsOf = (path: string): number => statSync(path).ino

const DEFAULTS: KernelOptions = { maxFlows: 131_072, ringBytes: 8 * 2 ** 20 }

/** The probe's kernel side and reader with windows of one second, in this process. */
export class Watch {
  readonly kernel: Kernel
  readonly rows: Row[] = []
  /** The same rows as the kernel gave them. */
  readonly records: Buffer[] = []
  /** Records of `cgroup_path`. */
  readonly cgroupPaths: Buffer[]
  readonly ended: Window[] = []
  readonly #reader: Reader
  readonly #reading: Promise<void>

  private constructor(kernel: Kernel, reader: Reader, cgroupPaths: Buffer[]) {
    this.kernel = kernel
    this.cgroupPaths = cgroupPaths
    this.#reader = reader
    this.#reading = this.#read()
  }

  static async start(options: Partial<KernelOptions> = {}): Promise<Watch> {
    const cgroupPaths: Buffer[] = []
    const kernel = new Kernel({ ...DEFAULTS, ...options }, (ring, records) => {
      if (ring === 'cgroup_path') cgroupPaths.push(records)
      else reader.take(records)
    })
    const reader = new Reader(kernel, kernelClock, 1)
    await kernel.scan()
    return new Watch(kernel, reader, cgroupPaths)
  }

  /** The window that runs now has ended, and so have all before it. */
  async windowEnd(): Promise<Window> {
    const { index } = this.#reader.windows.current
    for (;;) {
      const window = this.ended.find(ended => ended.index === index)
      if (window) return window
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** Rows of the flows in one network namespace. */
  in(netns: string): Row[] {
    const inode = netnsOf(netns)
    return this.rows.filter(row => row.netns === inode)
  }

  async close(): Promise<void> {
    this.#reader.stop()
    await this.#reading
    this.kernel.close()
  }

  async #read(): Promise<void> {
    for await (const { window, rows, end } of this.#reader.read()) {
      this.records.push(rows)
      this.rows.push(...rowsOf(this.kernel.tcpFlow, rows, window.index))
      if (end) this.ended.push(window)
    }
  }
}

/** Report passes as fast as they go, each the end of a window of its own: what a race would break, it breaks here. */
export async function passes(kernel: Kernel, records: Buffer[], done: () => boolean): Promise<Row[]> {
  const router = new Router(kernel.tcpFlow)
  const rows: Row[] = []
  const take = (buffers: readonly Buffer[], window: number) => {
    for (const buffer of buffers) rows.push(...rowsOf(kernel.tcpFlow, buffer, window))
  }
  for (let window = 0, last = false; !last; window++) {
    last = done()
    const endNs = bootTime()
    const pass: Pass = { closing: 0, missed: 0 }
    for await (const page of kernel.report(endNs, pass)) take([page], window)
    if (pass.closing > 0) await new Promise(resolve => setTimeout(resolve, 2))
    kernel.drain()
    const { ended, next } = router.split(Buffer.concat(records.splice(0)), endNs)
    take(ended, window)
    take(next, window + 1)
  }
  return rows
}

/** Rows by the socket they are about. */
export function byFlow(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, ({ cookie, opened_ns }) => `${cookie} ${opened_ns}`)
}
