import { open } from 'bcc-bindings'
import fc from 'fast-check'
import t from 'tap'
import { objectPath } from '../../../probe/kernel/load.ts'
import { Router } from '../../../probe/read/route.ts'
import { type Field, type Layout, numberOf, viewOf } from '../../../wire/layout.ts'
import { FLOW_FAILED, FLOW_MEASURED, FLOW_PREDATES } from '../../../wire/records.ts'

const object = open(objectPath())
const layout: Layout = object.layout('tcp_flow')
t.teardown(() => object.close())

type Row = Readonly<Record<string, number>>
const NAMES = ['socket', 'opened_ns', 'closed_ns', 'reported_ns', 'bytes_sent', 'segs_rcvd'] as const
const fields = NAMES.map(name => layout.fields.find(field => field.name === name) as Field)
/** Above 2^32 ns, so that both halves of a time count. */
const MS = 1_000_000
const BOOT = 5_000_000 * MS

function record(row: Row): Buffer {
  const bytes = Buffer.alloc(layout.size)
  for (const { name, offset, size } of fields)
    if (size === 8) bytes.writeBigUInt64LE(BigInt(row[name] ?? 0), offset)
    else bytes.writeUInt32LE(row[name] ?? 0, offset)
  return bytes
}

const readers = NAMES.map(name => [name, numberOf(layout, name)] as const)
const rowOf = (bytes: Buffer): Row =>
  Object.fromEntries(readers.map(([name, read]) => [name, read(viewOf(bytes), 0)]))

const at = (ms: number) => BOOT + ms * MS
const END = BigInt(at(100))
const split = (row: Row) => {
  const { ended, next } = new Router(layout, true).split(record(row), END)
  return [ended.map(rowOf), next.map(rowOf)]
}

t.test('a record goes to the window in which the flow closed', async t => {
  const within = {
    socket: 1,
    opened_ns: at(50),
    closed_ns: at(99),
    reported_ns: 0,
    bytes_sent: 7,
    segs_rcvd: 2,
  }
  t.same(split(within), [[within], []])
  const later = { ...within, opened_ns: at(100), closed_ns: at(101) }
  t.same(split(later), [[], [later]], 'opened at the end: not before it')
  const counted = { ...within, closed_ns: at(101), reported_ns: at(100) }
  t.same(split(counted), [[], [counted]], 'the pass has reported it')
})

t.test('a flow that was open at the end and closed before the pass came is in both windows', async t => {
  const both = {
    socket: 1,
    opened_ns: at(50),
    closed_ns: at(100),
    reported_ns: at(60),
    bytes_sent: 7,
    segs_rcvd: 2,
  }
  t.same(split(both), [
    [{ ...both, closed_ns: 0 }],
    [{ ...both, reported_ns: at(100), bytes_sent: 0, segs_rcvd: 0 }],
  ])
})

t.test('of a flow that closes between the end and the pass, only the close has failed', async t => {
  const row = record({ socket: 1, opened_ns: at(50), closed_ns: at(100) })
  const flags = layout.fields.find(({ name }) => name === 'flags')!.offset
  row[flags] = FLOW_PREDATES | FLOW_FAILED | FLOW_MEASURED
  const { ended, next } = new Router(layout, true).split(row, END)
  t.same(
    [ended, next].map(rows => rows.map(row => row[flags])),
    [[FLOW_PREDATES | FLOW_MEASURED], [FLOW_PREDATES | FLOW_FAILED]],
    'and only the row with the traffic is measured',
  )
})

t.test('the typedef says what adds up, not the name', async t => {
  const field = { offset: 24, size: 4, type: 'u32' } as const
  const times = ['opened_ns', 'closed_ns', 'reported_ns'].map(
    (name, index): Field => ({ name, offset: index * 8, size: 8, type: 'u64' }),
  )
  const closeOf = (more: Field) => {
    const record = Buffer.alloc(28)
    record.writeBigUInt64LE(BigInt(at(50)), 0)
    record.writeBigUInt64LE(BigInt(at(101)), 8)
    record.writeUInt32LE(7, 24)
    const router = new Router({ name: 'x', size: 28, fields: [...times, more] }, true)
    return router.split(record, END).next[0]?.readUInt32LE(24)
  }
  t.equal(closeOf({ ...field, name: 'late_ones', typedef: 'delta_segments_t' }), 0)
  t.equal(closeOf({ ...field, name: 'waiting', typedef: 'level_segments_t' }), 0)
  t.equal(closeOf({ ...field, name: 'bytes_of_window', typedef: 'bytes_t' }), 7)
})

t.test('a layout without the times is refused', async t => {
  t.throws(() => new Router({ name: 'x', size: 8, fields: [] }, true), {
    message: 'x has no field opened_ns',
  })
})

interface Flow {
  readonly openedMs: number
  readonly livesMs: number
  /** Bytes a millisecond. */
  readonly pace: number
  /** How far into each pass its slot comes. */
  readonly place: number
}
const flow = fc.record({
  openedMs: fc.integer({ min: 0, max: 700 }),
  livesMs: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 500 })),
  pace: fc.integer({ min: 0, max: 9 }),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
})
/** How long after its window's end a pass begins and how long it takes; late ones begin after the next end. */
const pass = fc.record({
  lateMs: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 250 })),
  takesMs: fc.integer({ min: 0, max: 40 }),
})
const LENGTH = 100

/** As `probe/bpf` does it: what the passes report of a flow, and the record of its close with when it may be read. */
function kernel(
  flow: Flow,
  socket: number,
  passes: readonly { endMs: number; atMs: (place: number) => number }[],
) {
  const closedMs = flow.openedMs + flow.livesMs
  const reports: { window: number; row: Row }[] = []
  let reported = 0
  let sinceMs = flow.openedMs
  const rowAt = (ms: number, closed: number): Row => {
    const row = {
      socket,
      opened_ns: at(flow.openedMs),
      closed_ns: closed,
      reported_ns: reported,
      bytes_sent: (ms - sinceMs) * flow.pace,
      segs_rcvd: ms - sinceMs,
    }
    sinceMs = ms
    return row
  }
  for (const [window, { endMs, atMs }] of passes.entries()) {
    const ms = Math.floor(atMs(flow.place))
    if (flow.openedMs >= endMs || closedMs <= ms) continue
    reports.push({ window, row: rowAt(ms, 0) })
    reported = at(endMs)
  }
  return { reports, close: { closedMs, row: rowAt(closedMs, at(closedMs)) } }
}

t.test(
  'every flow is once in each window that it lived in, and nothing that it counted is lost',
  async () => {
    fc.assert(
      fc.property(
        fc.array(flow, { maxLength: 40, size: 'max' }),
        fc.array(pass, { minLength: 14, maxLength: 14 }),
        (flows, given) => {
          let freeMs = 0
          const passes = given.map(({ lateMs, takesMs }, window) => {
            const endMs = (window + 1) * LENGTH
            const beginMs = Math.max(endMs + lateMs, freeMs)
            freeMs = beginMs + takesMs
            return { endMs, atMs: (place: number) => beginMs + place * takesMs, readMs: freeMs }
          })
          const told = flows.map((flow, socket) => kernel(flow, socket, passes))
          const router = new Router(layout, true)
          const windows: Row[][] = []
          let unread = told.map(({ close }) => close)
          let carried: Buffer[] = []
          for (const [window, { endMs, readMs }] of passes.entries()) {
            const reported = told.flatMap(({ reports }) => reports.filter(report => report.window === window))
            const read = unread.filter(({ closedMs }) => closedMs <= readMs)
            unread = unread.filter(({ closedMs }) => closedMs > readMs)
            const records = Buffer.concat([...carried, ...read.map(({ row }) => record(row))])
            const { ended, next } = router.split(records, BigInt(at(endMs)))
            windows.push([...reported.map(({ row }) => row), ...ended.map(rowOf)])
            carried = next
          }
          for (const [socket, { openedMs, livesMs, pace }] of flows.entries()) {
            const where = windows.flatMap((rows, window) =>
              rows.filter(row => row['socket'] === socket).map(row => ({ window, row })),
            )
            const lived = passes.flatMap(({ endMs }, window) =>
              openedMs < endMs && openedMs + livesMs >= endMs - LENGTH ? [window] : [],
            )
            const rows = where.map(({ row }) => row)
            const sum = (name: string) => rows.reduce((total, row) => total + row[name]!, 0)
            const seen = {
              windows: where.map(({ window }) => window),
              opened: where.filter(({ row }) => row['reported_ns'] === 0).map(({ window }) => window),
              closed: where.filter(({ row }) => row['closed_ns'] !== 0).map(({ window }) => window),
              bytes: sum('bytes_sent'),
              segments: sum('segs_rcvd'),
            }
            const expected = {
              windows: lived,
              opened: lived.slice(0, 1),
              closed: lived.slice(-1),
              bytes: livesMs * pace,
              segments: livesMs,
            }
            if (JSON.stringify(seen) !== JSON.stringify(expected))
              throw new Error(`${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`)
          }
        },
      ),
      { numRuns: 300 },
    )
  },
)
