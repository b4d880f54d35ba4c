import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Busy, recorded } from '../../../cli/flows/recorded.ts'
import { recordedSql } from '../../../cli/flows/sql.ts'
import type { Batch } from '../../../collector/batch.ts'
import { samplesOf } from '../../../collector/flows/record.ts'
import { type Handler, Problem } from '../../../collector/routes.ts'
import { serve } from '../../../collector/serve/server.ts'
import { queryRoute } from '../../../collector/sinks/embedded/select.ts'
import { Stage } from '../../collector/flows/given.ts'
import { openStore, rows, temporary } from '../../harness/embedded.ts'
import { start } from '../../harness/samples.ts'

/** Live conversations, as records of that reason. */
function records(window: number, reason: 'active' | 'gone', sockets: readonly [number, number][]): Batch {
  const stage = new Stage()
  const row = ([socket, cgroup]: readonly [number, number]) => ({
    ...{ socket, role: 1, state: 1, family: 2, pid: 5, hierarchy: 1, cgroup, opened_ns: 1e9 },
    ...{ local: '10.0.0.1', remote: '10.0.0.2', remote_port: 80 },
  })
  stage.rows('a', 0, 'tcp_flow', sockets.map(row))
  stage.end('a', 0)
  const { flows } = stage.ask()
  return {
    id: { host: 'a', boot: 'b', probe: 'p', window, part: 'flows' },
    ...{ time: start + window * 10, interval: 10, distributions: [] },
    samples: [samplesOf(flows.map(conversation => ({ conversation, reason, since: conversation.total })))],
  }
}

async function collector(t: Test, handler: Handler): Promise<string> {
  const socket = join(await temporary(t), 'socket')
  const server = await serve(socket, { 'POST /query': handler })
  t.teardown(() => server.close())
  return socket
}

t.test('from the store of a collector', async t => {
  const store = await openStore(t, join(await temporary(t), 'store'))
  const socket = await collector(
    t,
    queryRoute(store, { maxRows: 100, maxCharacters: 1e6, timeoutMs: 30_000 }),
  )
  const all = { filter: { end: {} }, limit: 3 }
  await t.rejects(recorded(socket, all), {
    message: /has been recorded yet: start the collector with --flows/,
  })
  t.match(await recorded(socket, { ...all, since: start }), { rows: [], notes: [/on those days/] })

  await store.write(records(0, 'gone', [[1, 1]]))
  await store.write(
    records(60, 'active', [
      [2, 1],
      [3, 9],
      [4, 9],
    ]),
  )
  t.match(await recorded(socket, { ...all, since: start }), {
    rows: { length: 3 },
    notes: ['only the last 3 conversations are shown: choose fewer, or raise --limit'],
  })
  const count = async (more: Partial<Parameters<typeof recordedSql>[0]>) =>
    (await rows(store, recordedSql({ ...all, limit: 100, ...more }))).length
  t.equal(await count({}), 4)
  t.equal(await count({ filter: { end: { container: '(host)' } } }), 2)
  t.equal(await count({ filter: { end: {}, with: ['container', '(host)'] } }), 2)
  t.equal(await count({ filter: { end: { container: 'web' } } }), 2)
  t.equal(await count({ filter: { end: { container: 'web' }, with: ['container', '(host)'] } }), 0)
  t.equal(await count({ since: start + 500 }), 3)
  t.equal(await count({ since: start + 500, gone: start }), 4)
  t.equal(await count({ since: start + 500, gone: start + 1 }), 3)
  t.equal(await count({ since: start + 601, gone: start }), 1, 'the others are not gone')
})

t.test('days that are meant, and what the answer says is missing', async t => {
  const asked: Record<string, unknown>[] = []
  let notes: string[] | undefined
  const socket = await collector(t, async ({ body }) => {
    asked.push(body as Record<string, unknown>)
    return { columns: [], rows: [[], []], truncated: notes !== undefined, ...(notes && { notes }) }
  })
  const all = { filter: { end: {} }, limit: 3 }
  const day = 86_400
  const tomorrow = new Date(Date.now() + day * 1000).toISOString().slice(0, 10)
  t.same((await recorded(socket, all)).notes, [])
  await recorded(socket, { ...all, since: day, until: 3 * day - 1 })
  await recorded(socket, { ...all, since: 20 * day, gone: 20 * day - 1 })
  await recorded(socket, { ...all, since: 0, until: 1e12 })
  t.match(asked, [
    { from: undefined, to: undefined },
    { from: '1970-01-02', to: '1970-01-03' },
    { from: '1970-01-20', to: undefined },
    { from: '1970-01-01', to: tomorrow },
  ])
  notes = ['2026-01-01 could not be read: it is damaged']
  t.match((await recorded(socket, all)).notes, [notes[0], /^only the last 2 conversations are shown/])
  const busy = await collector(t, async () => {
    throw new Problem(503, '2 queries are running: try again')
  })
  t.ok((await recorded(busy, all).catch((error: unknown) => error)) instanceof Busy)
})
