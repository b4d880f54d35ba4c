/** The flow stage of the collector: rows a second, and bytes a live flow; what it costs when it is off. */

import { Flows } from '../../collector/flows/flows.ts'
import { Ingest } from '../../collector/ingest/ingest.ts'
import type { Layout } from '../../wire/layout.ts'
import { encodeMessage, type Names } from '../../wire/message.ts'
import { layoutOfRecord } from '../collector/given.ts'
import { bundleOf } from '../harness/bundle.ts'
import { encodeRows } from '../harness/rows.ts'
import { ownSeconds } from './cpu.ts'
import { headOf, ROWS, tcpRows, whoOf } from './simulated.ts'

const BATCH = 4096
const NAMES: Names = { cgroups: {}, containers: {}, pods: {} }

export async function benchFlows(): Promise<string[][]> {
  return [...[100_000, 1_000_000].flatMap(liveFlows), offLine()]
}

/** Two sockets each: a connection of which both ends are watched. */
function liveFlows(count: number): string[][] {
  const [whole, update] = [layoutOfRecord('tcp_flow'), layoutOfRecord('tcp_update')]
  const flows = new Flows({ flows: true, maxLiveFlows: count, metrics: [], subnetMatch: 'first' }, [], {
    warn() {},
  })
  const opened = take(flows, whole, count, 0)
  const updated = take(flows, update, count, 1)
  if (flows.store.table.size !== count) throw new Error(`${flows.store.table.size} flows instead of ${count}`)
  const million = (seconds: number) => `${(count / seconds / 1e6).toFixed(2)} million rows per CPU second`
  return [
    [`${count.toLocaleString('en')} live flows, opened and joined`, million(opened)],
    [`${count.toLocaleString('en')} live flows, a window of updates`, million(updated)],
    [`${count.toLocaleString('en')} live flows, memory`, `${Math.ceil(flows.bytes / count)} bytes each`],
  ]
}

/** @returns CPU seconds */
function take(flows: Flows, layout: Layout, count: number, window: number): number {
  let seconds = 0
  for (let first = 0; first < count; first += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, count - first) }, (_, at) => rowOf(first + at))
    const bytes = encodeRows(layout, rows)
    const head = { host: 'h', boot: 'b', probe: 'p', window, sequence: 0, start_ns: '0', lost: {} }
    const before = ownSeconds()
    flows.take(head, layout, bytes, NAMES)
    seconds += ownSeconds() - before
  }
  return seconds
}

/** Of two sockets each, the ends of one connection. */
export function rowOf(at: number) {
  const [connection, role] = [Math.floor(at / 2), (at % 2) + 1]
  const isns = [(connection * 7919) >>> 0, (connection * 104_729 + 1) >>> 0] as const
  const [isn_local, isn_remote] = role === 1 ? isns : [isns[1], isns[0]]
  return {
    ...{ socket: at + 1, role, state: 1, family: 2, pid: at % 500, cgroup: 1, opened_ns: 1e9 },
    ...{ local_port: 40_000, remote_port: 80, isn_local, isn_remote },
    ...{ bytes_sent: 100, bytes_rcvd: 100, segs_sent: 2, segs_rcvd: 2, rtt_us: 100 },
  }
}

/** Both ways of the same messages, in turns. */
function offLine(): string[] {
  const names = whoOf(200)
  const said = tcpRows(ROWS, 200)
  const off = new Flows({ flows: false, maxLiveFlows: 1000, metrics: [], subnetMatch: 'first' }, [], {
    warn() {},
  })
  const spent = { without: 0, off: 0 }
  for (let turn = 0; turn < 40; turn++)
    for (const way of ['without', 'off'] as const) {
      const ingest = way === 'off' ? new Ingest(undefined, off) : new Ingest()
      const head = headOf(0)
      const messages = Array.from({ length: 20 }, (_, sequence) =>
        encodeMessage({ ...head, sequence }, bundleOf(...said), names),
      )
      const before = ownSeconds()
      for (const message of messages) ingest.receive(message)
      if (turn >= 5) spent[way] += ownSeconds() - before
    }
  const more = (spent.off / spent.without - 1) * 100
  return [
    'off, against no flow stage at all',
    `${more >= 0 ? '+' : ''}${more.toFixed(1)} % of the CPU of decode and fold`,
  ]
}
