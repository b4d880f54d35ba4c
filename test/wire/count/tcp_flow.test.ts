import fc from 'fast-check'
import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import type { FlowSums } from '../../../wire/count/flow_sums.ts'
import { type Layout, LayoutError } from '../../../wire/layout.ts'
import {
  FLOW_FAILED,
  FLOW_HANDED,
  FLOW_MEASURED,
  FLOW_PREDATES,
  FLOW_SAMPLED,
  ROLE_CLIENT,
  ROLE_SERVER,
} from '../../../wire/records.ts'
import { addRows, layoutOfRecord } from '../../collector/given.ts'
import type { Flow } from '../../harness/rows.ts'

const layout = layoutOfRecord('tcp_flow')
const nobody = { cgroups: {}, containers: {}, pods: {} }

function host(flows: readonly Flow[], as: Layout = layout) {
  const fold = new Fold()
  addRows(fold, as, flows, nobody)
  return fold.host
}
const client = (...flows: Flow[]): FlowSums =>
  host(flows.map(flow => ({ role: ROLE_CLIENT, ...flow }))).client

t.test('bytes, segments and retransmits add up, beyond 32 bits too', async t => {
  const flow = { segs_sent: 10, segs_rcvd: 7, segs_resent: 2, bytes_sent: 2 ** 40, bytes_rcvd: 1000 }
  t.match(client(flow, flow), {
    packetsSent: 20,
    packetsRcvd: 14,
    retransmits: 4,
    bytesSent: 2 ** 41,
    bytesRcvd: 2000,
  })
  const { server } = host([{ ...flow, role: ROLE_SERVER }])
  t.match(server, { bytesSent: 2 ** 40, retransmits: 2 })
})

t.test('what is lost at the end of the window counts for flows that carried nothing in it, too', async t => {
  t.match(client({ lost_segments: 3 }, { lost_segments: 4, segs_sent: 1 }), {
    lostSegments: 7,
    packetsSent: 1,
  })
})

t.test('failed is closed before it was established', async t => {
  const totals = client({ closed_ns: 5, flags: FLOW_FAILED }, { flags: FLOW_FAILED }, { closed_ns: 5 })
  t.match(totals, { opened: 3, closed: 2, failed: 1 })
})

t.test('a flow that only receives has no RTT after its handshake', async t => {
  const flow = { rtt_us: 100_000, rtt_var_us: 9, segs_rcvd: 1000, segs_sent: 500 }
  const totals = client(
    flow,
    { ...flow, flags: FLOW_SAMPLED },
    { ...flow, rtt_us: 200, flags: FLOW_MEASURED },
  )
  t.match(totals, { measured: 1, meanRttUs: 200, meanRttVarUs: 9, packetsRcvd: 3000 })
  t.equal(client(flow).meanRttUs, undefined)
})

t.test('an older probe does not mark measured flows: each that exchanged segments is one', async t => {
  const fields = layout.fields.map(({ typedef, ...field }) =>
    field.name === 'flags' ? field : { ...field, typedef: typedef! },
  )
  const flow = { role: ROLE_CLIENT, rtt_us: 1000 }
  const rows = [{ ...flow, segs_rcvd: 1 }, { ...flow, segs_sent: 1 }, flow]
  t.match(host(rows, { ...layout, fields }).client, { flows: 3, measured: 2, rttUs: 2000 })
})

t.test("a former owner's row opens the flow and does not close it", async t => {
  const row = { closed_ns: 5, bytes_sent: 10, segs_sent: 1, flags: FLOW_HANDED }
  t.match(client(row, { ...row, reported_ns: 3 }), { flows: 2, opened: 1, closed: 0, bytesSent: 20 })
  t.match(client({ ...row, reported_ns: 5, flags: 0 }), { opened: 0, closed: 1 })
})

t.test('a connection is told by the window in which it was established, once, by its client', async t => {
  const flow = { opened_ns: 1e9, established_ns: 1e9 + 2_500_500 }
  const { connect } = client(
    flow,
    { ...flow, established_ns: 1e9 + 4_500_500, reported_ns: 1e9 + 4_000_000 },
    { ...flow, reported_ns: flow.established_ns },
    { ...flow, flags: FLOW_PREDATES },
    { ...flow, established_ns: 0 },
    { ...flow, opened_ns: 2e9 },
  )
  t.match(connect, { count: 2, mean: 3500.5, max: 4500.5 })
  t.equal(host([{ ...flow, role: ROLE_SERVER }]).server.connect, undefined)
  t.equal(host([flow]).client.connect, undefined, 'nor of a flow whose role is not known')
})

t.test('a flow whose samples nobody counts is one sample of its smoothed RTT', async t => {
  const flow = { rtt_us: 1000, segs_rcvd: 1, flags: FLOW_MEASURED }
  const totals = client(
    flow,
    { ...flow, rtt_us: 3000 },
    { ...flow, flags: FLOW_MEASURED | FLOW_SAMPLED },
    { ...flow, flags: 0 },
    { ...flow, rtt_us: 0 },
  )
  t.equal(totals.smoothed, 2)
  t.match(totals.rtt, { count: 2, mean: 2000, min: 1000, max: 3000 })
  t.equal(totals.measured, 3, 'the mean of the smoothed RTTs is over all of them')
  t.equal(client({ ...flow, flags: FLOW_MEASURED | FLOW_SAMPLED }).rtt, undefined)
})

t.test('what an older probe does not tell is 0', async t => {
  const fields = layout.fields.filter(({ name }) => /^(cgroup|hierarchy|bytes_sent|segs_sent)$/.test(name))
  const { client } = host([{ bytes_sent: 5, segs_sent: 1, rtt_us: 9, role: ROLE_SERVER }], {
    ...layout,
    fields,
  })
  t.match(client, { flows: 1, opened: 1, closed: 0, bytesSent: 5, measured: 0 })
  for (const name of ['cgroup', 'hierarchy'])
    t.throws(
      () => host([], { ...layout, fields: layout.fields.filter(field => field.name !== name) }),
      new RegExp(`tcp_flow has no field ${name}`),
    )
})

t.test('a number too large for its column becomes the largest that fits', async t => {
  const wide = layout.fields.find(({ name }) => name === 'rtt_us')!
  const at = { ...wide, offset: layout.size, size: 8, type: 'u64' as const }
  const other = {
    ...layout,
    size: layout.size + 8,
    fields: layout.fields.map(field => (field === wide ? at : field)),
  }
  t.equal(host([{ rtt_us: 2 ** 40, flags: FLOW_MEASURED }], other).client.meanRttUs, 2 ** 32 - 1)
})

t.test('whatever layout comes from the network: it is refused as such, or its rows are folded', async t => {
  const type = fc.constantFrom('u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'bytes')
  const field = fc.record({
    type,
    name: fc.constantFrom(...layout.fields.map(({ name }) => name)),
    at: fc.nat(40),
  })
  fc.assert(
    fc.property(
      fc.array(field, { maxLength: 40 }),
      fc.uint8Array({ minLength: 100, maxLength: 100 }),
      (fields, bytes) => {
        const owner = ['cgroup', 'hierarchy'].map((name, at) => ({ type: 'u32', name, at }))
        const made = [...owner, ...fields].map(({ type, name, at }) => {
          const size = type === 'bytes' ? 10 : Number(type.slice(1)) / 8
          return { name, offset: at, size, type: type as Layout['fields'][0]['type'] }
        })
        const fold = new Fold(true)
        try {
          const decode = decoder({ name: 'tcp_flow', size: 50, fields: made })
          fold.add(Buffer.from(bytes), decode, nobody)
        } catch (error) {
          return error instanceof LayoutError
        }
        const { client, server } = fold.host
        return fold.rows === 2 && client.flows + server.flows + fold.refused === 2
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})
