import { join } from 'node:path'
import { PassThrough, Writable, type WritableOptions } from 'node:stream'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { print, runQuery } from '../../cli/client.ts'
import type { Format } from '../../cli/format.ts'
import { serve } from '../../collector/serve/server.ts'
import { queryRoute } from '../../collector/sinks/embedded/select.ts'
import { openStore, temporary } from '../harness/embedded.ts'
import { batch, sample } from '../harness/samples.ts'

async function collector(t: Test): Promise<string> {
  const directory = await temporary(t)
  const store = await openStore(t, join(directory, 'store'))
  await store.write(batch(0, [sample([3, undefined]), sample([120.5, 2], { container: 'a "b", c' })]))
  const socket = join(directory, 'socket')
  const server = await serve(socket, {
    'POST /query': queryRoute(store, { maxRows: 5, maxCharacters: 10_000, timeoutMs: 5000 }),
  })
  t.teardown(() => server.close())
  return socket
}

async function run(socket: string, sql: string, format: Format = 'table') {
  const out = new PassThrough()
  const err = new PassThrough()
  await runQuery({ socket, sql, format, out, err })
  return [await text(out.end()), await text(err.end())]
}

const all = 'SELECT time, container, as_client, as_server FROM "container:num_flows" ORDER BY as_client'

t.test('table, json and csv', async t => {
  const socket = await collector(t)
  t.same(await run(socket, all), [
    `time                  container  as_client  as_server
--------------------  ---------  ---------  ---------
2026-01-02T03:04:00Z  c1                 3
2026-01-02T03:04:00Z  a "b", c       120.5          2
`,
    '',
  ])
  const [json] = await run(socket, all, 'json')
  t.same(JSON.parse(json!), [
    { time: '2026-01-02T03:04:00Z', container: 'c1', as_client: 3, as_server: null },
    { time: '2026-01-02T03:04:00Z', container: 'a "b", c', as_client: 120.5, as_server: 2 },
  ])
  t.same(await run(socket, all, 'csv'), [
    'time,container,as_client,as_server\r\n2026-01-02T03:04:00Z,c1,3,\r\n2026-01-02T03:04:00Z,"a ""b"", c",120.5,2\r\n',
    '',
  ])
  t.same(await run(socket, 'SELECT 1 WHERE false', 'json'), ['[]\n', ''])
})

t.test('a control character from a tag does not reach the terminal', async t => {
  const [out] = await run(await collector(t), "SELECT 'a' || chr(27) || '[2Jb' AS name")
  t.match(out, 'a·[2Jb')
})

t.test('nor one from the name of a column; JSON escapes it, CSV has it', async t => {
  const socket = await collector(t)
  const sql = 'SELECT 1 AS "a\u001b[31mb\u009b\u202ec"'
  t.same(await run(socket, sql), ['a·[31mb··c\n----------\n         1\n', ''])
  const [json] = await run(socket, sql, 'json')
  t.notMatch(json, /(?!\n)\p{Cc}/u)
  t.same(JSON.parse(json!), [{ 'a\u001b[31mb\u009b\u202ec': 1 }])
  t.same(await run(socket, sql, 'csv'), ['a\u001b[31mb\u009b\u202ec\r\n1\r\n', ''])
})

t.test('nor one from an error; its lines stay', async t => {
  await t.rejects(run(await collector(t), 'SELECT "a\u001b[31m"'), {
    message: /"a·\[31m" was not found.*\n\nLINE 1/s,
  })
})

t.test('wide and combining characters are aligned', async t => {
  const sql = `SELECT * FROM (VALUES ('東京', 1), ('e\u0301', 2), ('ab', 3), ('👍', 4)) AS t("名前", n)`
  const [out] = await run(await collector(t), sql)
  t.equal(out, '名前  n\n----  -\n東京  1\ne\u0301     2\nab    3\n👍    4\n')
})

t.test('an empty query is named so', async t => {
  const socket = await collector(t)
  for (const sql of ['', ';', ' ;; ', '-- nothing', '/* */'])
    await t.rejects(run(socket, sql), { message: /^the query is empty$/ })
  await t.rejects(run(socket, 'SELECT 1; SELECT 2'), { message: 'send one statement at a time' })
})

t.test('missing rows are said beside the output', async t => {
  const [out, err] = await run(await collector(t), 'FROM range(100)', 'csv')
  t.equal(out, 'range\r\n0\r\n1\r\n2\r\n3\r\n4\r\n')
  t.match(err, 'only the first 5 rows are shown')
})

const hint = 'SHOW TABLES lists the measurements; put the name in double quotes'
for (const [table, near] of [
  ['"container:num_flow"', 'Did you mean "container:num_flows"? '],
  ['"Container:Num_Flowz"', 'Did you mean "container:num_flows"? '],
  ['container:num_flows', 'Did you mean "container:num_flows" or "pod:num_flows" or "host:num_flows"? '],
  ['xylophone_of_the_orchestra', ''],
] as const)
  t.test(`an unknown table: ${table}`, async t => {
    const name = table.replaceAll('"', '').replace(/^container:(?=num_flows$)/, '')
    await t.rejects(run(await collector(t), `SELECT * FROM ${table}`), {
      message: `Catalog Error: Table with name ${name} does not exist! ${near}${hint}`,
    })
  })

t.test('an unknown table with an endless name is a short sentence', async t => {
  await t.rejects(run(await collector(t), `SELECT * FROM "${'x'.repeat(5000)}"`), { message: /^.{1,300}$/ })
})

t.test("DuckDB's error arrives as it is", async t => {
  await t.rejects(run(await collector(t), 'SELECT nothing'), { message: /^Binder Error: .*"nothing"/ })
})

t.test('no collector is a sentence', async t => {
  const socket = join(await temporary(t), 'socket')
  await t.rejects(run(socket, all), {
    message: `no collector answers at ${socket}: start one (sockflux collector), or give its socket (--socket)`,
  })
})

t.test('a reader that has seen enough is no error', async t => {
  const socket = await collector(t)
  const closed = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  const out = new Writable({ write: (_chunk, _encoding, done) => done(closed) })
  await runQuery({ socket, sql: all, format: 'table', out, err: new PassThrough() })
})

t.test('what is printed again and again is said to be unread, and leaves nothing behind', async t => {
  const closed = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  let isRead = true
  const write: WritableOptions['write'] = (_chunk, _encoding, done) => done(isRead ? null : closed)
  const out = new Writable({ write })
  t.ok(await print(out, 'one'))
  t.equal(out.listenerCount('error'), 0)
  isRead = false
  t.notOk(await print(out, 'two'))
})
