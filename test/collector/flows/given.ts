/** What the tests of flows give each other: a flow stage, rows of two hosts, windows that end. */

import type { Batch } from '../../../collector/batch.ts'
import { Held } from '../../../collector/cluster/held/held.ts'
import type { Kind } from '../../../collector/cluster/kinds.ts'
import type { FlowCounts } from '../../../collector/flows/counts/counts.ts'
import { type FlowOptions, type FlowOutlet, Flows } from '../../../collector/flows/flows.ts'
import { type Answer, questionOf } from '../../../collector/flows/live.ts'
import { Fold } from '../../../collector/fold/fold.ts'
import { layoutOf } from '../../../wire/columns.ts'
import { FLOW_TOTAL } from '../../../wire/count/flow_total.ts'
import type { Layout } from '../../../wire/layout.ts'
import { type Names, runOf, type WindowNames } from '../../../wire/message.ts'
import type { Thing } from '../../harness/kubernetes/api_server.ts'
import { encodeRows } from '../../harness/rows.ts'
import { layoutOfRecord } from '../given.ts'

export const NAMES: WindowNames = {
  cgroups: { '1:1': 'a'.repeat(64), '1:2': 'b' },
  containers: {
    ['a'.repeat(64)]: { runtime: 'cri', name: 'web', pod: 'u' },
    b: { runtime: 'docker', name: 'shop' },
  },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
  running: [],
  processes: {
    5: { started_ns: '1', comm: 'nginx', exe: '/usr/sbin/nginx', parent: 1, parent_comm: 'systemd', uid: 33 },
  },
}

/** Milliseconds since the epoch of what the hosts call 0. */
export const BOOT = 1e12

/** A cluster that has these things. */
export function held(...things: readonly Thing[]): Held {
  const facts = new Held()
  for (const thing of things) facts.set(thing['kind'] as Kind, thing, BOOT)
  return facts
}

const LAYOUTS = new Map<string, Layout>()
function layout(name: string): Layout {
  const known = LAYOUTS.get(name) ?? layoutOfRecord(name)
  LAYOUTS.set(name, known)
  return known
}

/** A row: numbers and texts as in the record, addresses as text. */
export type Row = Readonly<Record<string, number | string>>

/** A client and a server in the pod of the names, which is at 10.0.0.1. */
export const POD_CLIENT: Row = {
  ...{ role: 1, state: 1, family: 2, pid: 6, comm: 'curl', cgroup: 1, hierarchy: 1, netns: 40 },
  ...{ local: '10.0.0.1', local_port: 40000, opened_ns: 100e9, bytes_sent: 100, bytes_rcvd: 7 },
}
export const POD_SERVER: Row = {
  ...{ role: 2, state: 1, family: 2, pid: 5, comm: 'nginx', cgroup: 1, hierarchy: 1, netns: 50 },
  ...{ local: '10.0.0.1', local_port: 8080, opened_ns: 100e9, bytes_sent: 10, bytes_rcvd: 90 },
}

/** `10.0.0.1` mapped into IPv6, or groups of IPv6 in full. */
export function addressBytes(text: string): Buffer {
  if (text.includes('.'))
    return Buffer.from([...Buffer.alloc(10), 0xff, 0xff, ...text.split('.').map(Number)])
  const [head = '', tail = ''] = text.split('::')
  const groups = (some: string) =>
    some === '' ? [] : some.split(':').map(group => Number.parseInt(group, 16))
  const [first, last] = [groups(head), groups(tail)]
  const all = [...first, ...Array(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap(group => [group >> 8, group & 0xff]))
}

export function rowsOf(record: string, rows: readonly Row[]): { layout: Layout; bytes: Buffer } {
  const of = layout(record)
  const bytes = encodeRows(
    of,
    rows.map(({ local: _, remote: __, ...numbers }) => numbers),
  )
  for (const [index, row] of rows.entries())
    for (const side of ['local', 'remote'] as const)
      if (row[side] !== undefined)
        addressBytes(String(row[side])).copy(
          bytes,
          index * of.size + of.fields.find(({ name }) => name === side)!.offset,
        )
  return { layout: of, bytes }
}

export class Stage {
  readonly flows: Flows
  /** Milliseconds. */
  now = 0
  /** Of the probe. */
  run = 'p'
  /** Of its windows, seconds. */
  interval = 10
  /** Seconds that the clock of the hosts was set by. */
  shift = 0
  /** Of the records, in the order in which they were made. */
  readonly batches: Batch[] = []
  readonly warnings: string[] = []
  /** Of the window that ended last. */
  counts: FlowCounts | undefined
  #sequence = 0

  constructor(most = 1000, more: Partial<FlowOptions> = {}) {
    const options = { flows: true, metrics: [], subnetMatch: 'first' as const, ...more }
    const outlet: FlowOutlet = {
      needsFlows: false,
      push: (batch, done) => {
        this.batches.push(batch)
        done()
      },
    }
    const log = { warn: (_: string, text: string) => void this.warnings.push(text) }
    this.flows = new Flows({ ...options, maxLiveFlows: most }, [outlet], log, () => this.now)
  }

  rows(host: string, window: number, record: string, rows: readonly Row[], names: Names = NAMES): void {
    const { layout, bytes } = rowsOf(record, rows)
    const head = { ...keyOf(host, window, this.run), sequence: this.#sequence++, start_ns: '0', lost: {} }
    this.flows.take(head, layout, bytes, names)
  }

  /** A probe with --fold. */
  folded(host: string): void {
    const layout = layoutOf('flow_total', FLOW_TOTAL)
    const head = { ...keyOf(host, 0, this.run), sequence: this.#sequence++, start_ns: '0', lost: {} }
    this.flows.take(head, layout, Buffer.alloc(0), NAMES)
  }

  /** @returns its flows by their other end, where the stage counts them */
  end(host: string, window: number, names: WindowNames = NAMES): FlowCounts | undefined {
    const fold = new Fold()
    fold.end(names)
    for (const id of Object.values(names.cgroups)) fold.end({ ...names, running: [id] })
    const common = { partial: false, complete: true, lost: {}, interval: this.interval, offsetMs: BOOT }
    this.counts = this.flows.end(
      { key: keyOf(host, window, this.run), time: 1e9 + window * 10 + this.shift, fold, ...common },
      '0',
      () => {},
    )
    return this.counts
  }

  /** Its probe is put aside. */
  leave(host: string): void {
    this.flows.leave(runOf(keyOf(host, 0, this.run)))
  }

  /** Texts and figures of each record. */
  get records(): Record<string, string | number | undefined>[] {
    return this.batches.flatMap(({ samples }) =>
      samples.flatMap(some =>
        [...some.each()].map(({ tags, values }) => ({
          ...Object.fromEntries(Object.entries(tags).filter(([, text]) => text !== '')),
          ...Object.fromEntries(some.measurement.fields.map((name, at) => [name, values[at]])),
        })),
      ),
    )
  }

  ask(query = ''): Answer {
    return this.flows.ask(questionOf(new URL(`http://x/flows?${query}`)))
  }
}

const keyOf = (host: string, window: number, probe: string) => ({ host, boot: `boot-${host}`, probe, window })
