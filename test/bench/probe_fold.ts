/** What `--fold` saves: a window of one host, as flows and folded, from the probe's rows to the collector's sums. */

import { Ingest } from '../../collector/ingest/ingest.ts'
import { FlowFold } from '../../probe/read/fold.ts'
import { encodeRows } from '../../wire/columns.ts'
import type { Layout, Rows } from '../../wire/layout.ts'
import { encodeMessage, encodeWindow } from '../../wire/message.ts'
import { ownSeconds } from './cpu.ts'
import { endOf, headOf, INTERVAL, inMessages, layoutOf, whoOf } from './simulated.ts'

const FLOWS = 20_000
const CONTAINERS = 50
const FLOW_SAMPLED = 8 // enum flow_flags

const names = whoOf(CONTAINERS)
const cgroupOf = (index: number) => 1 + (index % CONTAINERS)
const roleOf = (index: number) => 1 + (Math.floor(index / CONTAINERS) % 2)

/** One in ten was opened in the window, the others have been told before; round trips from 0.2 to 12 ms. */
function flows(): Rows[] {
  const rows = Array.from({ length: FLOWS }, (_, index) => ({
    cgroup: cgroupOf(index),
    role: roleOf(index),
    flags: FLOW_SAMPLED,
    opened_ns: 1e15 + index,
    established_ns: 1e15 + index + 200_000 + (index % 997) * 12_000,
    rtt_us: 200 + (index % 991) * 12,
    rtt_var_us: 100,
    segs_sent: 5,
    segs_rcvd: 5,
    bytes_sent: 1000,
    bytes_rcvd: 1000,
  }))
  const told = (record: string, some: typeof rows): Rows[] => {
    const layout = layoutOf(record)
    return [{ layout, bytes: encodeRows(layout, some) }]
  }
  const isNew = (_: unknown, index: number) => index % 10 === 0
  return [
    ...told('tcp_flow', rows.filter(isNew)),
    ...told(
      'tcp_update',
      rows.filter((row, index) => !isNew(row, index)),
    ),
  ]
}

/** What the kernel adds up of the samples, which goes as it is. */
function samples(total: Layout, bucket: Layout): Rows[] {
  const owners = Array.from({ length: CONTAINERS * 2 }, (_, index) => ({
    cgroup: cgroupOf(index),
    role: roleOf(index),
  }))
  const buckets = owners.flatMap(owner =>
    Array.from({ length: 40 }, (_, at) => ({ ...owner, bucket: 80 + at, samples: 5 })),
  )
  const totals = owners.map(owner => ({ ...owner, rtt_samples: 200, rtt_sum_us: 1e6, rtt_max_us: 9000 }))
  return [
    { layout: total, bytes: encodeRows(total, totals) },
    { layout: bucket, bytes: encodeRows(bucket, buckets) },
  ]
}

function framesOf(window: number, said: readonly Rows[]): Buffer[][] {
  const bundles = inMessages(said)
  const head = (index: number) => ({ ...headOf(window), sequence: window * bundles.length + index })
  const last = { ...head(bundles.length - 1), ...endOf((window + 1) * INTERVAL) }
  return [
    ...bundles.slice(0, -1).map((bundle, index) => encodeMessage(head(index), bundle, names)),
    encodeWindow(last, bundles.at(-1)!, names),
  ]
}

/** @returns milliseconds of CPU a window, from messages to sums */
function collect(said: readonly Rows[], count: number): number {
  const windows = Array.from({ length: count }, (_, window) => framesOf(window, said))
  const ingest = new Ingest()
  const before = ownSeconds()
  for (const messages of windows) for (const message of messages) ingest.receive(message)
  return ((ownSeconds() - before) / count) * 1000
}

export async function benchProbeFold(windows = 200): Promise<string[][]> {
  const own = flows()
  const common = samples(layoutOf('tcp_total'), layoutOf('rtt_bucket'))
  const fold = new FlowFold({ layout: layoutOf })
  const before = ownSeconds()
  let folded: Rows[] = []
  for (let window = 0; window < windows; window++) {
    for (const rows of own) fold.add(rows)
    folded = fold.end()
  }
  const foldMs = ((ownSeconds() - before) / windows) * 1000
  const line = (said: readonly Rows[]) => {
    const messages = framesOf(0, said)
    const kilobytes = messages.flat().reduce((sum, { length }) => sum + length, 0) / 1000
    return `${messages.length} messages, ${kilobytes.toFixed(0)} kB, ${collect(said, windows).toFixed(2)} ms CPU at the collector`
  }
  const what = `a window of ${FLOWS.toLocaleString('en')} flows in ${CONTAINERS} containers`
  return [
    [`${what}, as flows`, line([...own, ...common])],
    [
      `${what}, with \`--fold\``,
      `${line([...folded, ...common])}, ${foldMs.toFixed(2)} ms CPU at the probe to fold`,
    ],
  ]
}
