import { statSync } from 'node:fs'
import { bootTime } from 'bcc-bindings'
import { kernelClock } from '../../probe/kernel/clock.ts'
import { Kernel } from '../../probe/kernel/kernel.ts'
import { Reader } from '../../probe/read/read.ts'
import { Router } from '../../probe/read/route.ts'
import type { Window } from '../../probe/read/window.ts'
import type { Flows, Pass } from '../../probe/signals/flows.ts'
import { HEALTH_DEFAULT } from '../../probe/signals/health_groups.ts'
import type { KernelOptions } from '../../probe/signals/signal.ts'
import type { Rows } from '../../wire/layout.ts'
import type { NumberField, RttBucket, TcpHealth, TcpListen, TcpTotal, UdpFlow } from '../../wire/records.ts'
import { FlowRows, numbersOf, type Row, type RowOf, rowsOf } from './flow_rows.ts'

export type UdpRow = RowOf<UdpFlow>
export type HealthRow = RowOf<TcpHealth>
export type ListenRow = RowOf<TcpListen>
/** A row that is no flow's. */
export type SumRow<R> = Record<NumberField<R>, number> & { readonly window: number }

export const CLIENT = 1
export const SERVER = 2

export const netnsOf = (path: string): number => statSync(path).ino

const DEFAULTS: KernelOptions = {
  maxFlows: 131_072,
  maxUdpFlows: 65_536,
  ringBytes: 8 * 2 ** 20,
  udp: 'calls',
  rtt: 'calls',
  health: HEALTH_DEFAULT,
}

/** The kernel side with defaults, and nobody who reads it. */
export function kernelWith(
  options: Partial<KernelOptions>,
  onRecords: (ring: string, records: Buffer) => void,
  refused?: (sentence: string) => void,
): Kernel {
  return new Kernel(
    { ...DEFAULTS, ...options },
    { flows: onRecords, cgroups: onRecords, processes: onRecords, ...(refused && { refused }) },
  )
}

export const tcpOf = (kernel: Kernel): Flows => kernel.flows[0]!

/** The probe's kernel side and reader with windows of one second, in this process. */
export class Watch {
  readonly kernel: Kernel
  /** Of TCP. */
  readonly rows: Row[] = []
  /** Rows of `udp_flow`. */
  readonly udp: UdpRow[] = []
  readonly health: HealthRow[] = []
  readonly listeners: ListenRow[] = []
  /** Rows of `tcp_total` and `rtt_bucket`. */
  readonly totals: SumRow<TcpTotal>[] = []
  readonly buckets: SumRow<RttBucket>[] = []
  /** Those of `tcp_flow` as the kernel gave them. */
  readonly records: Buffer[] = []
  /** Records of rings that are not flows, by ring. */
  readonly names: Readonly<Record<'cgroup_path' | 'process', Buffer[]>>
  readonly ended: Window[] = []
  readonly #reader: Reader
  readonly #reading: Promise<void>
  readonly #flows = new FlowRows()

  private constructor(kernel: Kernel, reader: Reader, names: Watch['names']) {
    this.kernel = kernel
    this.names = names
    this.#reader = reader
    this.#reading = this.#read()
  }

  static async start(options: Partial<KernelOptions> = {}): Promise<Watch> {
    const names: Watch['names'] = { cgroup_path: [], process: [] }
    const kernel = kernelWith(options, (ring, records) => {
      if (ring === 'cgroup_path' || ring === 'process') names[ring].push(Buffer.from(records))
      else reader.take(ring, records)
    })
    const reader = new Reader(kernel, kernelClock, 1)
    await kernel.scan()
    return new Watch(kernel, reader, names)
  }

  /** The window that runs now has ended, and so have all before it: by the clock, for the reader may be behind it. */
  async windowEnd(): Promise<Window> {
    const now = bootTime()
    for (;;) {
      const window = this.ended.find(({ endNs }) => endNs > now)
      if (window) return window
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** Rows of the flows in one network namespace. */
  in(netns: string): Row[] {
    const inode = netnsOf(netns)
    return this.rows.filter(row => row.netns === inode)
  }

  udpIn(netns: string): UdpRow[] {
    const inode = netnsOf(netns)
    return this.udp.filter(row => row.netns === inode)
  }

  async close(): Promise<void> {
    this.#reader.stop()
    await this.#reading
    this.kernel.close()
  }

  async #read(): Promise<void> {
    for await (const { window, rows } of this.#reader.read()) {
      if (!rows) {
        this.ended.push(window)
        continue
      }
      const { layout, bytes } = rows
      if (layout.name === 'tcp_flow') this.records.push(Buffer.from(bytes))
      if (/^tcp_(flow|update)$/.test(layout.name))
        this.rows.push(...this.#flows.read(layout, bytes, window.index))
      else if (layout.name === 'tcp_health')
        this.health.push(...rowsOf<TcpHealth>(layout, bytes, window.index))
      else if (layout.name === 'tcp_listen')
        this.listeners.push(...rowsOf<TcpListen>(layout, bytes, window.index))
      else if (layout.name === 'udp_flow') this.udp.push(...rowsOf<UdpFlow>(layout, bytes, window.index))
      else {
        const sums = numbersOf(layout, bytes, window.index)
        if (layout.name === 'tcp_total') this.totals.push(...(sums as SumRow<TcpTotal>[]))
        else this.buckets.push(...(sums as SumRow<RttBucket>[]))
      }
    }
  }
}

/** Report passes as fast as they go, each the end of a window of its own: what a race would break, it breaks here. */
export async function passes(kernel: Kernel, records: Buffer[], done: () => boolean): Promise<Row[]> {
  const flows = tcpOf(kernel)
  const router = new Router(flows.layout, flows.tellsClose!)
  const told = new FlowRows()
  const rows: Row[] = []
  const take = ({ layout, bytes }: Rows, window: number) => rows.push(...told.read(layout, bytes, window))
  for (let window = 0, last = false; !last; window++) {
    last = done()
    const endNs = bootTime()
    const pass: Pass = { closing: 0, missed: 0, guessed: 0, unused: 0 }
    for await (const page of kernel.report(flows, endNs, pass))
      if (page.layout.name !== 'tcp_health') take(page, window)
    if (pass.closing > 0) await new Promise(resolve => setTimeout(resolve, 2))
    kernel.drain()
    const { ended, next } = router.split(Buffer.concat(records.splice(0)), endNs)
    for (const bytes of ended) take({ layout: flows.layout, bytes }, window)
    for (const bytes of next) take({ layout: flows.layout, bytes }, window + 1)
  }
  return rows
}

/** Rows by the socket they are about. */
export function byFlow(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, ({ cookie, opened_ns }) => `${cookie} ${opened_ns}`)
}
