/** `subnet:num_flows` and `peer:num_flows`. */

import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { FlowCounts } from '../../../collector/flows/counts/counts.ts'
import { Fold } from '../../../collector/fold/fold.ts'
import { linesOf } from '../../harness/samples.ts'
import { samplerOf, windowOf } from '../given.ts'
import { Stage } from './given.ts'

const client = (at: number, more = {}) => ({
  ...{ socket: 10 + at, role: 1, state: 1, family: 2, pid: 6, comm: 'curl', cgroup: 2, hierarchy: 1 },
  ...{ local: '10.0.0.1', local_port: 40000 + at, remote: `192.0.2.${at}`, remote_port: 80 },
  ...{ isn_local: 2 * at + 1, isn_remote: 2 * at + 2, opened_ns: 2e9 },
  ...more,
})
const server = (at: number, more = {}) =>
  client(at, {
    ...{ socket: 500 + at, role: 2, isn_local: 2 * at + 2, isn_remote: 2 * at + 1, cgroup: 1 },
    ...{ local: '10.1.0.1', local_port: 80, remote: '10.0.0.1', remote_port: 40000 + at },
    ...more,
  })

function stageOf(t: Test): Stage {
  const subnets = `${t.testdir()}/subnets.yaml`
  writeFileSync(subnets, '[{ name: office, cidrs: [192.0.2.0/25] }]')
  return new Stage(1000, { flows: false, metrics: ['subnet', 'peer'], subnets })
}
const rowsOf = (counts: FlowCounts | undefined, kind: Exclude<keyof FlowCounts, 'pods'>) =>
  counts!
    [kind]!.map(({ tags, numbers }) =>
      [...Object.values(tags), numbers['as_client'], numbers['as_server']].join(' '),
    )
    .sort()

t.test('flows of the window by who is at the other end', async t => {
  const stage = stageOf(t)
  stage.rows('a', 0, 'tcp_flow', [client(1), client(2), client(200), client(3), server(3)])
  const first = stage.end('a', 0)
  t.same(rowsOf(first, 'subnet'), ['office 2 0'])
  t.same(rowsOf(first, 'peer'), [
    'shop office 2 0',
    'shop shop/web-0 1 0',
    'shop unknown 1 0',
    'shop/web-0 shop 0 1',
  ])
  stage.rows('a', 1, 'tcp_update', [{ socket: 11, role: 1, state: 1, cgroup: 2, hierarchy: 1 }])
  t.same(rowsOf(stage.end('a', 1), 'peer'), ['shop office 1 0'], 'those of this window')
  t.same(stage.records, [], 'nobody asked for records')
})

t.test('a collector that starts again counts the window that comes again once', async t => {
  const rows = [client(1), client(2)]
  const [before, after] = [stageOf(t), stageOf(t)]
  before.rows('a', 0, 'tcp_flow', rows)
  const counted = rowsOf(before.end('a', 0), 'peer')
  before.rows('a', 1, 'tcp_flow', rows)
  after.rows('a', 1, 'tcp_flow', rows)
  t.same(rowsOf(after.end('a', 1), 'peer'), counted)
  after.rows('a', 2, 'tcp_flow', rows)
  t.same(rowsOf(after.end('a', 2), 'peer'), counted)
})

t.test('series beyond the ceiling are one, and no flow is missing', async t => {
  const stage = stageOf(t)
  const cgroups = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`1:${at + 1}`, `c${at}`]))
  const containers = Object.fromEntries(
    Array.from({ length: 50 }, (_, at) => [`c${at}`, { runtime: 'docker', name: `name ${at}` }]),
  )
  const names = { cgroups, containers, pods: {}, running: [], processes: {} }
  stage.rows(
    'a',
    0,
    'tcp_flow',
    Array.from({ length: 50 }, (_, at) => client(at, { cgroup: at + 1 })),
    names,
  )
  const flowCounts = stage.end('a', 0, names)!
  t.equal(flowCounts.peer?.length, 50)
  const sampler = samplerOf('sockflux', { maxSeries: 10, metrics: ['peer'] })
  const lines = linesOf(sampler.sample(windowOf(new Fold(), { flowCounts }), '0')).filter(line =>
    line.startsWith('peer:num_flows'),
  )
  t.equal(lines.length, 11)
  t.match(lines.at(-1), /~other.* as_client=40/)
})
