/** A connection that goes from one container to another: each has what it carried. */

import { bootTime } from 'bcc-bindings'
import t from 'tap'
import { Fold } from '../../collector/fold/fold.ts'
import { decoder } from '../../collector/fold/records/decoder.ts'
import { FlowFold } from '../../probe/read/fold.ts'
import { layoutOfRecord } from '../collector/given.ts'
import { HANDED, type Row } from '../harness/flow_rows.ts'
import { connect, isOwned, lookup, type Process, stage, watch } from '../harness/owners.ts'
import { encodeRows } from '../harness/rows.ts'
import { needs } from '../harness/skip.ts'
import { byFlow, kernelWith, netnsOf, passes, type Watch } from '../harness/watch.ts'
import { earlyInWindow } from '../harness/windows.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }
const layout = layoutOfRecord('tcp_flow')

/** Until every window that has begun has ended. */
async function ended(seen: Watch): Promise<void> {
  const now = bootTime()
  while ((await seen.windowEnd()).endNs <= now);
}

const totalOf = (rows: readonly Row[], name: 'bytes_sent' | 'bytes_rcvd') =>
  rows.reduce((sum, row) => sum + row[name], 0)

/** What a collector counts of each container, of the rows as they are and folded by the probe. */
function countedOf(rows: readonly Row[], owners: readonly Process[]) {
  const ids = owners.map(({ cgroup }) => String(cgroup))
  const names = { cgroups: Object.fromEntries(ids.map(id => [`0:${id}`, id])), containers: {}, pods: {} }
  const bytes = encodeRows(layout, rows)
  const folding = new FlowFold({ layout: layoutOfRecord })
  folding.add({ layout, bytes })
  return [[{ layout, bytes }], folding.end()].map(messages => {
    const fold = new Fold()
    for (const { layout, bytes } of messages) fold.add(bytes, decoder(layout), names)
    return ids.map(id => {
      const { opened, closed, bytesSent, bytesRcvd } = fold.containers.get(id)!.server
      return { opened, closed, bytesSent, bytesRcvd }
    })
  })
}

t.test('handed over within a window: the former owner keeps what it carried', real, async t => {
  const { netns, process, server, client, listener } = await stage(t)
  const worker = await process()
  const seen = await watch(t)
  await earlyInWindow()
  const { fd } = await connect(client)
  const accepted = await server.actor.socket(`accept ${listener.fd}`)
  await client.actor.do(`send ${fd} 1300`)
  await server.actor.do(`receive ${accepted.fd} 1000`) // 300 are left to the next owner
  await server.actor.do(`send ${accepted.fd} 20000`)
  await client.actor.do(`receive ${fd} 20000`)
  const passed = await server.actor.give(accepted.fd, worker.actor)
  await worker.actor.do(`send ${passed.fd} 3000`)
  await client.actor.do(`receive ${fd} 3000`)
  await client.actor.do(`send ${fd} 70`)
  await worker.actor.do(`receive ${passed.fd} 370`)
  for (const [actor, own] of [
    [server.actor, accepted],
    [worker.actor, passed],
  ] as const)
    await actor.do(`close ${own.fd}`)
  await client.actor.do(`close ${fd}`)
  await ended(seen)
  const rows = seen.in(netns).filter(row => row.local_port === 8000)
  const expected = [
    { opened: 1, closed: 0, bytesSent: 20_000, bytesRcvd: 1000 },
    { opened: 0, closed: 1, bytesSent: 3000, bytesRcvd: 370 },
  ]
  for (const [index, counted] of countedOf(rows, [server, worker]).entries())
    t.same(counted, expected, index ? 'folded by the probe' : 'row by row')
  t.same(seen.kernel.lost(), {})
})

t.test('handed over by its first receive, and back by a send', real, async t => {
  const { netns, process, server, client, listener } = await stage(t)
  const worker = await process()
  const seen = await watch(t)
  const { fd } = await connect(client)
  const accepted = await server.actor.socket(`accept ${listener.fd}`)
  await server.actor.do(`send ${accepted.fd} 500`)
  await client.actor.do(`send ${fd} 40`)
  const passed = await server.actor.give(accepted.fd, worker.actor)
  await worker.actor.do(`receive ${passed.fd} 40`)
  await server.actor.do(`write ${accepted.fd} 60`)
  isOwned(t, (await lookup(seen, netns))(accepted), server, 'it has it again')
  const rows = seen.in(netns).filter(row => row.local_port === 8000)
  t.same(countedOf(rows, [server, worker])[1], [
    { opened: 1, closed: 0, bytesSent: 560, bytesRcvd: 0 },
    { opened: 0, closed: 0, bytesSent: 0, bytesRcvd: 40 },
  ])
  t.equal(rows.filter(row => row.flags & HANDED).length >= 2, true, 'twice')
})

t.test('another process of the same container: no row of a former owner', real, async t => {
  const { netns, server, client, listener } = await stage(t)
  const seen = await watch(t)
  const { fd } = await connect(client)
  const accepted = await server.actor.socket(`accept ${listener.fd}`)
  const child = await server.actor.fork()
  await server.actor.do(`send ${accepted.fd} 10`)
  await child.do(`send ${accepted.fd} 10`)
  await client.actor.do(`receive ${fd} 20`)
  const row = (await lookup(seen, netns))(accepted)
  t.match(row, { pid: child.pid, cgroup: server.cgroup })
  t.notOk(seen.in(netns).some(row => row.flags & HANDED))
})

t.test('handed over while passes run: once opened, once closed, and every byte once', real, async t => {
  const { netns, process, server, client, listener } = await stage(t)
  const worker = await process()
  const records: Buffer[] = []
  const kernel = kernelWith({}, (ring, bytes) => {
    if (ring === 'tcp_flow') records.push(Buffer.from(bytes))
  })
  t.teardown(() => kernel.close())
  let done = false
  const passing = passes(kernel, records, () => done)
  const turns = 150
  const { fd } = await connect(client)
  const accepted = await server.actor.socket(`accept ${listener.fd}`)
  const passed = await server.actor.give(accepted.fd, worker.actor)
  const users = [
    [server.actor, accepted.fd],
    [worker.actor, passed.fd],
  ] as const
  try {
    for (let turn = 0; turn < turns; turn++)
      await Promise.all(users.map(([actor, own]) => actor.do(`send ${own} 100`)))
    await client.actor.do(`receive ${fd} ${turns * 200}`)
    for (const [actor, own] of users) await actor.do(`close ${own}`)
    await client.actor.do(`close ${fd}`)
  } finally {
    done = true
  }
  const rows = (await passing).filter(row => row.netns === netnsOf(netns) && row.local_port === 8000)
  t.equal(byFlow(rows).size, 1)
  t.ok(
    rows.some(row => row.flags & HANDED),
    'it was handed over',
  )
  t.equal(rows.filter(row => row.reported_ns === 0).length, 1, 'opened')
  t.equal(rows.filter(row => row.closed_ns > 0 && !(row.flags & HANDED)).length, 1, 'closed')
  t.equal(totalOf(rows, 'bytes_sent'), turns * 200)
  t.ok(rows.every(row => row.bytes_sent <= turns * 200))
  t.same(kernel.lost(), {})
})
