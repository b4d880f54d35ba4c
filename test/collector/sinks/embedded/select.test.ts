import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { queryRoute, select } from '../../../../collector/sinks/embedded/select.ts'
import { openStore, temporary } from '../../../harness/embedded.ts'
import { batch, sample } from '../../../harness/samples.ts'

const limits = { maxRows: 10, maxCharacters: 10_000, timeoutMs: 10_000 }
const never = new AbortController().signal
const directory = await temporary(t)
const store = await openStore(t, directory)
await store.write(batch(0, [sample([3, undefined]), sample([1, 2], { container: 'c2' })]))
const ask = (sql: string, bounds = limits) => select(store, sql, bounds, never)

t.test('rows with their columns, times in RFC 3339, null for what was not measured', async t => {
  t.same(await ask('SELECT * FROM "container:num_flows" ORDER BY as_client'), {
    columns: [
      { name: 'time', type: 'TIMESTAMP' },
      { name: 'container', type: 'VARCHAR' },
      { name: 'as_client', type: 'DOUBLE' },
      { name: 'as_server', type: 'DOUBLE' },
    ],
    rows: [
      ['2026-01-02T03:04:00Z', 'c2', 1, 2],
      ['2026-01-02T03:04:00Z', 'c1', 3, null],
    ],
    truncated: false,
  })
})

t.test('counts are numbers, what a double cannot hold is a string', async t => {
  const { rows } = await ask(
    'SELECT count(*), 9007199254740993, 1.50, [1, 2], TIMESTAMP \'2026-01-01 00:00:00.25\' FROM "container:num_flows"',
  )
  t.same(rows, [[2, '9007199254740993', '1.50', [1, 2], '2026-01-01T00:00:00.250Z']])
})

const allowed = [
  'show tables',
  'describe "container:num_flows"',
  'summarize "container:num_flows"',
  'from "container:num_flows"',
  'values (1)',
  'explain select 1',
  'EXPLAIN ANALYZE select count(*) from "container:num_flows"',
  'with x as (select 1) select * from x, range(3), unnest([1, 2])',
  "select table_name from information_schema.tables where table_name like '%:%'",
  'select time_bucket(interval 1 minute, time) m, sum(as_client) from "container:num_flows" group by m;',
]
for (const sql of allowed) t.test(`allowed: ${sql}`, async t => t.ok((await ask(sql)).columns.length > 0))

const other = join(directory, '..', 'sockflux-query-test.csv')
const refused = [
  "select * from read_csv('/etc/passwd')",
  "select * from read_text('/etc/passwd')",
  "select * from read_blob('/etc/pass*')",
  "select * from read_json('http://127.0.0.1:1/x')",
  "select * from parquet_scan('/etc/passwd')",
  "select * from sniff_csv('/etc/passwd')",
  "select * from glob('/etc/*')",
  "select * from '/etc/passwd'",
  "select * from '/etc/passwd.csv'",
  'from "/proc/self/environ.csv"',
  "select * from 'http://127.0.0.1:1/x.csv'",
  "describe select * from read_text('/etc/passwd')",
  "describe '/etc/passwd.csv'",
  "summarize '/etc/passwd.csv'",
  "select (select count(*) from read_text('/etc/passwd'))",
  "with x as (select * from Read_Text('/etc/passwd')) select * from x",
  "select 1 where exists (from read_text('/etc/passwd'))",
  "select * from query('select 1')",
  "select * from query_table('windows')",
  "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
  `copy (select 1) to '${other}'`,
  `copy (select 1) to '${directory}/x.csv'`,
  `explain analyze copy (select 1) to '${directory}/x.csv'`,
  `explain /* */ analyze copy (select 1) to '${directory}/x.csv'`,
  `export database '${directory}/x'`,
  `import database '${directory}'`,
  "attach '/etc/passwd'",
  `attach '${directory}/new.duckdb'`,
  'detach "2026-01-02"',
  'install httpfs',
  'load httpfs',
  'pragma version',
  'pragma enable_profiling',
  "set memory_limit = '10GB'",
  'reset memory_limit',
  'call enable_logging()',
  "select * from enable_logging(storage='file', storage_path='/tmp')",
  'select * from enable_profiling()',
  'select * from checkpoint()',
  'select * from force_checkpoint()',
  'select * from duckdb_secrets()',
  "select getenv('HOME')",
  "select write_log('x')",
  'select sleep_ms(1000)',
  'insert into "container:num_flows" values (1)',
  'with x as (insert into "2026-01-02".windows values (1) returning *) select * from x',
  'delete from "2026-01-02".windows',
  'drop view "container:num_flows"',
  'create table x as select 1',
  'create temp table x as select 1',
  'begin',
  'checkpoint',
  'vacuum',
  'use "2026-01-02"',
  'prepare x as select 1',
  'select 1; select 2',
  'select 1; drop view "container:num_flows"',
  '',
  '-- nothing',
]
for (const sql of refused) t.test(`refused: ${sql}`, t => t.rejects(ask(sql), { name: 'Problem' }))

t.test('none of these left a trace', async t => {
  t.same(
    readdirSync(directory).filter(name => !/^(2026-01-02\.duckdb(\.wal)?|lock)$/.test(name)),
    [],
  )
  t.notOk(existsSync(other))
  t.equal((await ask('show tables')).rows.length, 1)
})

t.test('a file of the directory is not readable either', async t => {
  writeFileSync(join(directory, 'x.csv'), 'a,b\n1,2\n')
  await t.rejects(ask(`select * from read_csv('${directory}/x.csv')`), { name: 'Problem' })
})

t.test('no more rows than the limit, and it says so', async t => {
  const { rows, truncated } = await ask('SELECT * FROM range(100000)')
  t.equal(rows.length, 10)
  t.equal(truncated, true)
  t.equal((await ask('SELECT * FROM range(10)')).truncated, false)
})

t.test('no longer answer than the limit, whatever its rows hold', async t => {
  const long = { name: 'Problem', status: 413, message: /more than 10000 characters: ask for fewer/ }
  await t.rejects(ask("SELECT repeat('x', 2000) FROM range(6)"), long)
  await t.rejects(ask('SELECT repeat(chr(1), 2000)'), long, 'as it is written in JSON')
  t.match(await ask("SELECT repeat('x', 9000)"), { rows: { length: 1 }, truncated: false })
})

t.test('columns of one name are told apart', async t => {
  const { columns } = await ask('SELECT * FROM range(1) a, range(1) b')
  t.same(
    columns.map(({ name }) => name),
    ['range', 'range:1'],
  )
})

t.test('a query that takes too long is stopped', async t => {
  const endless = 'SELECT count(*) FROM range(1000000) a, range(1000000) b'
  await t.rejects(ask(endless, { ...limits, timeoutMs: 50 }), { message: /took more than 50 ms/ })
  await t.rejects(ask(`EXPLAIN ANALYZE ${endless}`, { ...limits, timeoutMs: 50 }), {
    message: /took more than 50 ms/,
  })
})

t.test('a query whose client is gone already does not run', async t => {
  await t.rejects(select(store, 'select 1', limits, AbortSignal.abort()))
})

t.test('a query that needs too much memory fails alone', async t => {
  await t.rejects(ask('SELECT list(a.range) FROM range(100000000) a'), { message: /Out of Memory/ })
  await store.write(batch(1, [sample([1, 1])]))
})

t.test("DuckDB's message about wrong SQL; a missing table names those that exist", async t => {
  await t.rejects(ask('selec 1'), { message: /^Parser Error: syntax error at or near "selec"/ })
  await t.rejects(ask('select x from "container:num_flows"'), {
    message: /^Binder Error: Referenced column "x"/,
  })
  await t.rejects(ask('select * from "container:rtt"'), {
    message:
      /^Catalog Error: Table with name container:rtt does not exist! Measurements: container:num_flows \(/,
  })
})

t.test('the route: limits can be lowered, not raised; bad requests are sentences', async t => {
  const route = queryRoute(store, limits)
  const post = (body: unknown) => route({ url: new URL('http://localhost/query'), body, signal: never })
  t.match(await post({ sql: 'from range(100)', maxRows: 3 }), { rows: { length: 3 }, truncated: true })
  t.match(await post({ sql: 'from range(100)', maxRows: 50 }), { rows: { length: 10 }, truncated: true })
  await t.rejects(post({}), { message: /the body must be/ })
  await t.rejects(post({ sql: 'select 1', maxRows: 0 }), { message: /maxRows must be a positive integer/ })
})

t.test('the route: two queries at a time, and one whose client went away ends', async t => {
  const route = queryRoute(store, limits)
  const sql = 'SELECT count(*) FROM range(1000000) a, range(1000000) b'
  const client = new AbortController()
  const post = () => route({ url: new URL('http://localhost/query'), body: { sql }, signal: client.signal })
  const running = Promise.allSettled([post(), post()])
  await t.rejects(post(), { name: 'Problem', status: 503 })
  setTimeout(() => client.abort(), 20)
  const results = await running
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
})
