import fc from 'fast-check'
import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import type { FlowSums, Group } from '../../../wire/count/flow_sums.ts'
import type { Field, Layout } from '../../../wire/layout.ts'
import type { Names, PodName, WindowNames } from '../../../wire/message.ts'
import { encodeRows, type Flow, tcpFlowLayout } from '../../harness/rows.ts'

const layout = tcpFlowLayout()
const decode = decoder(layout)
const SERVER = 2
const PREDATES = 1
const MEASURED = { rtt_us: 1000, rtt_var_us: 500, segs_sent: 1, flags: 32 }

const cri = (pod: string, more = {}) => ({ runtime: 'cri', pod, ...more })
const names: WindowNames = {
  cgroups: { '1:10': 'a', '1:11': 'b', '1:12': 'pause', '2:10': 'd' },
  netns: { '7': 'n' },
  containers: {
    a: cri('u1', { name: 'a' }),
    b: cri('u1'),
    pause: cri('u1', { sandbox: true }),
    d: cri('u2'),
    n: { runtime: 'podman' },
    idle: cri('u2'),
  },
  pods: { u1: { name: 'web-0', namespace: 'shop' }, u2: { name: 'db-0', namespace: 'shop' } },
  running: ['a', 'b', 'pause', 'idle', 'n'],
}

function folded(flows: readonly Flow[], said: WindowNames = names, fold = new Fold(true)): Fold {
  fold.add(encodeRows(layout, flows), decode, said)
  fold.end(said)
  return fold
}

/** What a reader of docs/reading_the_numbers.md would count, the slow way. */
function expected(flows: readonly Flow[]) {
  const measured = flows.filter(({ rtt_us = 0, flags = 0 }) => rtt_us > 0 && (flags & 32) !== 0)
  const mean = (name: 'rtt_us' | 'rtt_var_us') =>
    measured.length ? measured.reduce((sum, flow) => sum + (flow[name] ?? 0), 0) / measured.length : undefined
  return {
    flows: flows.length,
    measured: measured.length,
    opened: flows.filter(({ reported_ns = 0, flags = 0 }) => reported_ns === 0 && !(flags & PREDATES)).length,
    closed: flows.filter(({ closed_ns = 0 }) => closed_ns > 0).length,
    rtt: mean('rtt_us'),
    rttVariance: mean('rtt_var_us'),
  }
}
const counted = (totals: FlowSums) => ({
  flows: totals.flows,
  measured: totals.measured,
  opened: totals.opened,
  closed: totals.closed,
  rtt: totals.meanRttUs,
  rttVariance: totals.meanRttVarUs,
})
const isServer = ({ role = 0 }: Flow) => role === SERVER
const byRole = (flows: readonly Flow[]) => ({
  client: expected(flows.filter(flow => !isServer(flow))),
  server: expected(flows.filter(isServer)),
})
const rolesOf = ({ client, server }: Group) => ({ client: counted(client), server: counted(server) })

const ownerOf = ({ hierarchy, cgroup, netns }: Flow) =>
  names.cgroups[`${hierarchy}:${cgroup}`] ?? names.netns![String(netns)]

const flow: fc.Arbitrary<Flow> = fc.record({
  hierarchy: fc.constantFrom(1, 2),
  cgroup: fc.constantFrom(10, 11, 12, 13, 2 ** 40),
  netns: fc.constantFrom(7, 8),
  role: fc.nat(2),
  flags: fc.constantFrom(0, 1, 2, 4, 7, 32, 33, 39),
  reported_ns: fc.constantFrom(0, 2 ** 52),
  closed_ns: fc.constantFrom(0, 1, 2 ** 40),
  segs_sent: fc.constantFrom(0, 0, 1, 2 ** 32 - 1),
  segs_rcvd: fc.constantFrom(0, 0, 1, 2 ** 32 - 1),
  rtt_us: fc.oneof(fc.constant(0), fc.nat(2 ** 32 - 1)),
  rtt_var_us: fc.nat(2 ** 32 - 1),
  pid: fc.nat(3),
})

t.test('any rows, in any messages, give the totals of the reference implementation', async t => {
  fc.assert(
    fc.property(fc.array(fc.array(flow, { maxLength: 30 }), { maxLength: 5 }), messages => {
      const fold = new Fold(true)
      for (const flows of messages) fold.add(encodeRows(layout, flows), decode, names)
      fold.end(names)
      const all = messages.flat()
      t.equal(fold.rows, all.length)
      t.same(rolesOf(fold.host), byRole(all.filter(flow => !ownerOf(flow))))
      for (const [id, container] of fold.containers)
        t.same(rolesOf(container), byRole(all.filter(flow => ownerOf(flow) === id)))
      for (const [uid, pod] of fold.pods())
        t.same(rolesOf(pod), byRole(all.filter(flow => names.containers[ownerOf(flow) ?? '']?.pod === uid)))
      t.same([...fold.processes!.byPid.keys()].sort(), [...new Set(all.map(({ pid }) => pid))].sort())
      for (const [pid, process] of fold.processes!.byPid)
        t.same(rolesOf(process), byRole(all.filter(flow => flow.pid === pid)))
    }),
    { numRuns: 100 },
  )
})

t.test('a layout with other offsets, wider numbers and more fields gives the same totals', async t => {
  fc.assert(
    fc.property(fc.array(flow, { maxLength: 20 }), fc.nat(), (flows, seed) => {
      const other = shuffled(layout, seed)
      const fold = new Fold(true)
      fold.add(encodeRows(other, flows), decoder(other), names)
      fold.end(names)
      t.same(rolesOf(fold.host), rolesOf(folded(flows).host))
      t.same(
        [...fold.containers.values()].map(rolesOf).slice(0, 5),
        [...folded(flows).containers.values()].map(rolesOf).slice(0, 5),
      )
    }),
    { numRuns: 50 },
  )
})

function shuffled({ name, fields }: Layout, seed: number): Layout {
  const at = seed % fields.length
  const order = [...fields.slice(at), ...fields.slice(0, at)].reverse()
  let size = 3
  const moved = order.map((field): Field => {
    const wider: Field = field.type === 'bytes' ? field : { ...field, type: 'u64', size: 8 }
    const offset = size
    size += wider.size + 1
    return { ...wider, offset }
  })
  return { name, size: size + 5, fields: [...moved, { name: 'new', offset: 0, size: 2, type: 'u16' }] }
}

t.test('RTT only of flows that took a sample in the window', async t => {
  const base = { hierarchy: 1, cgroup: 10 }
  const { client } = folded([
    { ...base, ...MEASURED },
    { ...base, ...MEASURED, segs_sent: 0, segs_rcvd: 1, rtt_us: 3000, rtt_var_us: 0 },
    { ...base, ...MEASURED, flags: 0 },
    { ...base, ...MEASURED, rtt_us: 0 },
  ]).containers.get('a')!
  t.equal(client.flows, 4)
  t.equal(client.measured, 2)
  t.equal(client.meanRttUs, 2000)
  t.equal(client.meanRttVarUs, 250)
  t.equal(folded([base]).containers.get('a')!.client.meanRttUs, undefined, 'never 0')
})

t.test('opened in its first report unless older than the probe; closed when it has an end', async t => {
  const { client } = folded([
    {},
    { closed_ns: 5 },
    { reported_ns: 1 },
    { reported_ns: 1, closed_ns: 5 },
    { flags: PREDATES },
  ]).host
  t.match(client, { flows: 5, opened: 2, closed: 2 })
})

t.test(
  'a running container without flows has none; pods count those that run, without the sandbox',
  async t => {
    const fold = folded([
      { hierarchy: 1, cgroup: 12, role: SERVER },
      { hierarchy: 2, cgroup: 10 },
    ])
    t.match(fold.containers.get('idle'), { running: true, client: { flows: 0 }, server: { flows: 0 } })
    t.match(fold.pods().get('u1'), { containers: 2, server: { flows: 1 } }, "the sandbox's flow is the pod's")
    t.match(fold.pods().get('u2'), { containers: 1, client: { flows: 1 } }, 'd has ended')
    fold.pods()
    t.equal(fold.pods().get('u1')!.server.flows, 1, 'asking changes nothing')
  },
)

t.test('processes have the name of the record and the container of their rows', async t => {
  const { byPid: processes } = folded([
    { pid: 5, comm: 'curl', hierarchy: 1, cgroup: 10 },
    { pid: 6, comm: 'sshd' },
  ]).processes!
  t.match(processes.get(5), { comm: 'curl', owner: { id: 'a' } })
  t.match(processes.get(6), { comm: 'sshd' })
  t.notOk('id' in processes.get(6)!.owner, 'in no container')
  t.equal(folded([{ pid: 5 }], names, new Fold()).processes, undefined, 'only for who watches')
})

t.test('ids that are names of Object.prototype are handled like others', async t => {
  const ids = ['__proto__', 'constructor', 'toString']
  const containers = Object.fromEntries(ids.map(id => [id, cri(id, { name: id })]))
  const cgroups = Object.fromEntries(ids.map((id, index) => [`1:${index}`, id]))
  const pods = Object.fromEntries(ids.map(id => [id, { name: id, namespace: '' }]))
  const fold = folded(
    ids.map((_, cgroup) => ({ hierarchy: 1, cgroup })),
    { cgroups, containers, pods, running: ids },
  )
  t.same(
    [...fold.containers.values()].map(({ name, client }) => [name.name, client.flows]),
    ids.map(id => [id, 1]),
  )
  t.same(
    [...fold.pods().values()].map(({ name, containers }) => [name.name, containers]),
    ids.map(id => [id, 1]),
  )
})

t.test('names that come later in the window count, and unused fields are not kept', async t => {
  const first = { ...names, containers: { a: cri('u1'), pause: cri('u1') }, pods: {} }
  const more = { a: cri('u1', { name: 'web', note: 'x' }), pause: cri('u1', { sandbox: true }) }
  const fold = new Fold()
  fold.add(encodeRows(layout, [{ hierarchy: 1, cgroup: 10 }]), decode, first)
  fold.end({
    ...names,
    containers: more,
    pods: { u1: { name: 'web-0', namespace: 'shop', note: 'x' } as PodName },
  })
  t.same(fold.containers.get('a')!.name, { runtime: 'cri', pod: 'u1', name: 'web' })
  t.same(fold.podName('u1'), { name: 'web-0', namespace: 'shop' })
  t.equal(fold.pods().get('u1')!.containers, 1, 'the sandbox is not counted')
})

t.test('a cgroup id beyond 2^53 is counted, not guessed', async t => {
  const fold = new Fold()
  const rows = encodeRows(layout, [{ hierarchy: 1 }, { hierarchy: 1, cgroup: 10 }])
  rows.writeBigUInt64LE(2n ** 60n, layout.fields.find(({ name }) => name === 'cgroup')!.offset)
  fold.add(rows, decode, names)
  t.match(fold, { refused: 1, rows: 2, host: { client: { flows: 0 } } })
})

t.test(
  "containers and processes without end find no place: their rows are the host's, and counted",
  async t => {
    const ids = ['c0', 'c1', 'c2', 'c3']
    const overflowing: Names = {
      cgroups: Object.fromEntries(ids.map((id, index) => [`1:${index}`, id])),
      containers: Object.fromEntries(ids.map(id => [id, cri(id)])),
      pods: Object.fromEntries(ids.map(id => [id, { name: id, namespace: '' }])),
    }
    const flows = [0, 1, 2, 3, 3, 9].map(cgroup => ({ hierarchy: 1, cgroup }))
    const fold = folded(flows, { ...overflowing, running: ids }, new Fold(false, 2))
    fold.add(encodeRows(layout, flows), decode, overflowing)
    t.same([...fold.containers.keys()], ['c0', 'c1'])
    t.equal(fold.host.client.flows, 8, 'nothing is missing in the sum')
    t.equal(fold.overflowed, 6)
    const parts = new Fold(false, 2)
    for (const cgroup of [0, 1, 2, 2, 0, 3])
      parts.add(encodeRows(layout, [{ hierarchy: 1, cgroup }]), decode, overflowing)
    t.match(parts, { rows: 6, overflowed: 3, host: { client: { flows: 3 } } }, 'in however many messages')
    const processes = folded([{ pid: 1 }, { pid: 2 }, { pid: 3 }, { pid: 1 }], names, new Fold(true, 2))
    t.same([...processes.processes!.byPid.keys()], [1, 2])
    t.equal(processes.host.client.flows, 4)
  },
)
