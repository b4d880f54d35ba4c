/** Hosts that exist only as messages: their rows, their names and their connections to a collector. */

import { setTimeout as sleep } from 'node:timers/promises'
import { open } from 'bcc-bindings'
import { Context, Dealer } from 'zeromq'
import { objectPath } from '../../probe/kernel/load.ts'
import { Bundler } from '../../probe/publish/bundler.ts'
import { SLAB_BYTES } from '../../probe/publish/publish.ts'
import { SendOffset } from '../../probe/publish/send_offset.ts'
import { Slabs } from '../../probe/publish/slabs.ts'
import { FlowFold } from '../../probe/read/fold.ts'
import { decodeAck } from '../../wire/ack.ts'
import { encodeRows } from '../../wire/columns.ts'
import type { Layout, Rows } from '../../wire/layout.ts'
import { type Bundle, encodeMessage, encodeWindow, type WindowNames } from '../../wire/message.ts'
import { FLOW_MEASURED } from '../../wire/records.ts'

/** Seconds. */
export const INTERVAL = 10
/** In a page of the kernel's pass. */
export const ROWS = 4096

/** From the built object: no kernel is needed. */
export function layoutOf(record: string): Layout {
  const object = open(objectPath())
  try {
    return object.layout(record)
  } finally {
    object.close()
  }
}

/** Flows, their sockets numbered from `first`, in turns of `containers` containers: round trips from 20 ms up, a few segments, both roles. */
function rowsOf(layout: Layout, first: number, count: number, containers: number): Rows {
  const rows = Array.from({ length: count }, (_, index) => ({
    socket: first + index,
    local_port: 1024 + (index % 60_000),
    remote_port: 80,
    cgroup: 1 + (index % containers),
    role: 1 + (Math.floor(index / containers) % 2),
    flags: FLOW_MEASURED,
    rtt_us: 20_000 + (index % ROWS),
    rtt_var_us: 100,
    segs_sent: 5,
    segs_rcvd: 5,
    bytes_sent: 1000,
    bytes_rcvd: 1000,
  }))
  return { layout, bytes: encodeRows(layout, rows) }
}

/** One in ten is told with everything, the others were before. */
export function tcpRows(count: number, containers: number): Rows[] {
  const whole = Math.ceil(count / 10)
  const kinds = [rowsOf(layoutOf('tcp_flow'), 1, whole, containers)]
  if (count > whole) kinds.push(rowsOf(layoutOf('tcp_update'), 1 + whole, count - whole, containers))
  return kinds
}

/** Containers that all run; their cgroups count from 1. No two of all hosts begin with the same 12 digits, the tag. */
export function whoOf(containers: number, host = 0): WindowNames {
  const ids = Array.from({ length: containers }, (_, index) =>
    (host * 1000 + index).toString(16).padStart(12, '0').padEnd(64, '0'),
  )
  return {
    cgroups: Object.fromEntries(ids.map((id, index) => [`0:${index + 1}`, id])),
    containers: Object.fromEntries(ids.map(id => [id, { runtime: 'containerd', name: 'main' }])),
    pods: {},
    running: ids,
  }
}

/** Head of the messages of a window of a host. */
export const headOf = (window: number, host = 0) =>
  ({
    host: `host${host}`,
    boot: 'b',
    probe: `p${host}`,
    window,
    start_ns: '0',
    lost: {},
  }) as const

/** What the head of a window's last message says more. */
export const endOf = (time: number) =>
  ({ end_ns: '1', time, interval: INTERVAL, clock_offset_ns: '0', partial: false }) as const

/** As the probe puts them into messages. */
export function inMessages(rows: readonly Rows[]): Bundle[] {
  const bundler = new Bundler(new Slabs(SLAB_BYTES), 1)
  const bundles: Bundle[] = []
  for (const { layout, bytes } of rows)
    for (let at = 0; at < bytes.length; ) {
      const added = bundler.add({ layout, bytes: bytes.subarray(at) })
      if (added === 0) bundles.push(bundler.take())
      at += added
    }
  return [...bundles, bundler.take()]
}

function folded(flows: readonly Rows[]): Rows[] {
  const fold = new FlowFold({ layout: layoutOf })
  for (const rows of flows) fold.add(rows)
  return fold.end()
}

/** As a probe with `--fold` sends them. */
export const foldedRows = (count: number, containers: number): Rows[] => folded(tcpRows(count, containers))

const PATIENCE_MS = 120_000

/** Per host. */
export interface HostLoad {
  readonly containers: number
  readonly rows: number
  /** As with `--fold`. */
  readonly folds?: boolean
}

/** Many hosts, each with a connection of its own, whose windows all end at the same moment: each sends in its turn. */
export class Hosts {
  readonly #dealers: readonly Dealer[]
  readonly #who: readonly WindowNames[]
  readonly #sequences: number[]
  /** What each host says in a window. */
  readonly #said: readonly Bundle[]
  readonly #firstTime = Math.floor(Date.now() / 1000 / INTERVAL) * INTERVAL
  #window = 0

  constructor(endpoint: string, count: number, { containers, rows, folds = false }: HostLoad) {
    const context = new Context({ maxSockets: count + 64 }) // libzmq's own bound is 1023
    const options = { context, linger: 0, sendTimeout: PATIENCE_MS, receiveTimeout: PATIENCE_MS }
    this.#dealers = Array.from({ length: count }, () => new Dealer(options))
    for (const dealer of this.#dealers) dealer.connect(endpoint)
    this.#who = this.#dealers.map((_, host) => whoOf(containers, host))
    this.#sequences = this.#dealers.map(() => 0)
    const flows = tcpRows(rows, containers)
    this.#said = inMessages(folds ? folded(flows) : flows)
  }

  /** Of one host in a window. */
  get rows(): number {
    const parts = this.#said.flatMap(({ parts }) => parts)
    return parts.reduce((sum, { layout, length }) => sum + length / layout.size, 0)
  }

  /** One window of all hosts, until the collector has said of each that it is written. */
  async window(): Promise<void> {
    const window = this.#window++
    const sending = this.#dealers.map(async (dealer, host) => {
      const [head, who] = [headOf(window, host), this.#who[host]!]
      await sleep(new SendOffset(head.host, INTERVAL / 5, INTERVAL, () => 0).waitMs())
      const { running: _, ...names } = who
      const next = () => ({ ...head, sequence: this.#sequences[host]!++ })
      for (const bundle of this.#said.slice(0, -1)) await dealer.send(encodeMessage(next(), bundle, names))
      const time = this.#firstTime + window * INTERVAL
      await dealer.send(encodeWindow({ ...next(), ...endOf(time) }, this.#said.at(-1)!, who))
      const acknowledged = decodeAck(await dealer.receive())
      if (acknowledged.window !== window)
        throw new Error(`window ${acknowledged.window} is acknowledged, not ${window}`)
    })
    await Promise.all(sending)
  }

  close(): void {
    for (const dealer of this.#dealers) dealer.close()
  }
}
