import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { catalogue } from '../../../../collector/metrics/catalogue.ts'
import type { Encoded } from '../../../../collector/routes.ts'
import { answer } from '../../../../collector/sinks/embedded/query/answer.ts'
import { openSegments } from '../../../../collector/sinks/embedded/query/open.ts'
import { queryRoute } from '../../../../collector/sinks/embedded/select.ts'
import { openStore, rows, temporary } from '../../../harness/embedded.ts'
import { batch, sample, start } from '../../../harness/samples.ts'
import { until } from '../../../harness/until.ts'

const limits = { maxRows: 10, maxCharacters: 10_000, timeoutMs: 10_000 }
const never = new AbortController().signal
const directory = await temporary(t)
const store = await openStore(t, directory)
await store.write(batch(0, [sample([3, undefined]), sample([1, 2], { container: 'c2' })]))
/** As the process of a query does it. */
const ask = async (sql: string, bounds = limits) => {
  const loan = await store.lend()
  const opened = await openSegments(loan.files, sql)
  return answer(opened, sql, bounds).finally(() => {
    opened.close()
    loan.release()
  })
}
/** In a process of its own. */
const route = queryRoute(store, limits)
const post = async (body: unknown, signal = never) =>
  JSON.parse(
    String(((await route({ url: new URL('http://localhost/query'), body, signal })) as Encoded).json),
  )

t.test('rows with their columns, times in RFC 3339, null for what was not measured', async t => {
  const sql = 'SELECT time, container, as_client, as_server FROM "container:num_flows" ORDER BY as_client'
  t.same(await ask(sql), {
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
  t.equal((await ask('show tables', { ...limits, maxRows: 100 })).rows.length, catalogue.length)
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

t.test('columns of one name get different keys', async t => {
  const { columns } = await ask('SELECT * FROM range(1) a, range(1) b')
  t.same(
    columns.map(({ name }) => name),
    ['range', 'range:1'],
  )
})

const endless = 'SELECT count(*) FROM range(1000000) a, range(1000000) b'

t.test('a query that takes too long is stopped', async t => {
  for (const sql of [endless, `EXPLAIN ANALYZE ${endless}`])
    await t.rejects(post({ sql, timeoutMs: 1000 }), {
      status: 408,
      message: 'the query took more than 1000 ms and was stopped',
    })
})

t.test('a query whose client is gone already does not run', async t => {
  await t.rejects(post({ sql: 'select 1' }, AbortSignal.abort()), {
    message: 'the client has closed the connection',
  })
})

// what DuckDB counts, what it does not count (vectors), and what JavaScript makes of it
const greedy = [
  'SELECT list(a.range) FROM range(100000000) a',
  "SELECT repeat('x', 100000000) FROM range(100)",
  "SELECT repeat('x', 400000000)",
  "SELECT string_agg(repeat('x', 1000000)) FROM range(4000)",
]
for (const sql of greedy)
  t.test(`needs too much memory and fails alone: ${sql}`, async t => {
    const { rss } = process.memoryUsage()
    const seen = /^the query took more than 512 MB of memory|^Out of Memory Error|more than 10000 characters/
    await t.rejects(post({ sql }), { name: 'Problem', message: seen })
    t.ok(process.memoryUsage().rss - rss < 64 * 2 ** 20, 'not here')
  })

t.test('the process of a query has nothing of the environment, and leaves nothing', async t => {
  process.env['INFLUX_TOKEN'] = 'secret'
  t.teardown(() => delete process.env['INFLUX_TOKEN'])
  const running = t.rejects(post({ sql: endless, timeoutMs: 2000 }), { message: /took more than 2000 ms/ })
  const environments = await until('the process', () => {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim()
    const found = children.split(' ').map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('query/main')
          ? readFileSync(`/proc/${pid}/environ`, 'utf8')
          : ''
      } catch {
        return ''
      }
    })
    return found.some(Boolean) && found.filter(Boolean)
  })
  t.equal(environments.length, 1)
  t.notMatch(environments[0], /INFLUX_TOKEN|secret|\0PATH=|\0HOME=/) // tap adds its own
  await running
  t.same(
    readdirSync(directory).filter(name => name.startsWith('sockflux-query')),
    [],
  )
})

t.test(
  'a closed segment that a query reads is not written to: its late window goes into the next',
  async t => {
    const place = await temporary(t)
    const sink = await openStore(t, place)
    await sink.write(batch(0, [sample([1, 1])], start - 86_400))
    await sink.write(batch(1, [sample([2, 2])]))
    const loan = await sink.lend()
    const sql = 'SELECT as_client FROM "container:num_flows" ORDER BY 1'
    const opened = await openSegments(loan.files, sql)
    for (const window of [0, 2]) await sink.write(batch(window, [sample([3, 3])], start - 86_400))
    t.same((await opened.connection.runAndReadAll(sql)).getRowsJson(), [[1], [2]])
    opened.close()
    loan.release()
    t.same(await rows(sink, sql), [[1], [2], [3]], 'and the window that was there is not there twice')
    t.same(
      readdirSync(place).filter(name => name.endsWith('.duckdb')),
      ['2026-01-01.1.duckdb', '2026-01-01.duckdb', '2026-01-02.duckdb'],
    )
  },
)

for (const TZ of ['America/New_York', 'Asia/Tokyo', 'UTC'])
  t.test(`now() is right in ${TZ}`, async t => {
    const before = process.env['TZ']
    process.env['TZ'] = TZ
    t.teardown(() => {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    })
    const seconds = Math.floor(Date.now() / 1000)
    const sink = await openStore(t, await temporary(t), { now: Date.now })
    await sink.write(batch(0, [sample([1, 1])], seconds - 300))
    await sink.write(batch(1, [sample([2, 2])], seconds - 20))
    const sql =
      'SELECT as_client, time FROM "container:num_flows" WHERE time > now() - interval 1 minute AND time <= now()'
    const here = await rows(sink, sql)
    t.same(
      here.map(([value]) => value),
      [2],
    )
    const route = queryRoute(sink, limits)
    const { json } = (await route({ url: new URL('http://l/'), body: { sql }, signal: never })) as Encoded
    t.same(JSON.parse(String(json)).rows, [
      [2, new Date((seconds - 10) * 1000).toISOString().replace('.000', '')],
    ])
  })

t.test('a measurement without samples is an empty table with its columns', async t => {
  const sink = await openStore(t, await temporary(t))
  for (const sql of [
    'select time, container, pod, as_client from "container:rtt" order by time desc limit 10',
    'select * from "probe:lost"',
    'select count(count) from "collector:lost"',
  ])
    t.ok(await rows(sink, sql), sql)
  t.same(
    (await rows(sink, 'show tables')).map(([name]) => name),
    catalogue.map(({ name }) => name).sort(),
  )
  t.same(
    (await rows(sink, 'describe "probe:lost"')).map(([name, type]) => `${name} ${type}`),
    ['time TIMESTAMP', 'ifid VARCHAR', 'host VARCHAR', 'stage VARCHAR', 'reason VARCHAR', 'count DOUBLE'],
  )
})

t.test('a process that cannot be started is said, and the next query runs', async t => {
  const { execPath } = process
  process.execPath = join(directory, 'no-node')
  try {
    await t.rejects(post({ sql: 'select 1' }), {
      name: 'Problem',
      message: /^the process of the query could not be started: .*ENOENT/,
    })
  } finally {
    process.execPath = execPath
  }
  t.match(await post({ sql: 'select 1' }), { rows: [[1]] })
})

t.test('the days that a query reads can be named', async t => {
  const sink = await openStore(t, await temporary(t))
  for (const day of [-2, -1, 0]) await sink.write(batch(0, [sample([day, 0])], start + day * 86_400))
  const route = queryRoute(sink, limits)
  const sql = 'select as_client from "container:num_flows" order by 1'
  const values = async (days: Record<string, unknown>) => {
    const url = new URL('http://localhost/query')
    const { json } = (await route({ url, body: { sql, ...days }, signal: never })) as Encoded
    return JSON.parse(String(json)).rows.flat()
  }
  t.same(await values({}), [-2, -1, 0])
  t.same(await values({ from: '2026-01-01' }), [-1, 0])
  t.same(await values({ from: '2026-01-01', to: '2026-01-01' }), [-1])
  await t.rejects(values({ from: 'yesterday' }), { message: /^from must be a day in UTC/ })
})

t.test('more files than fit into a query: the newest are read, and the rest is said', async t => {
  const sink = await openStore(t, await temporary(t))
  for (const day of [-2, -1, 0]) await sink.write(batch(0, [sample([day, 0])], start + day * 86_400))
  const loan = await sink.lend()
  const opened = await openSegments(loan.files, 'from "container:num_flows"', -(2 ** 40))
  t.match(await answer(opened, 'select * from "container:num_flows"', limits), {
    rows: [],
    notes: [/^2026-01-02 and older files were not read, .*: name the days with --from and --to$/],
  })
  opened.close()
  loan.release()
})

t.test('a segment that cannot be read is said, and the others are read', async t => {
  const place = await temporary(t)
  const sink = await openStore(t, place)
  await sink.write(batch(0, [sample([1, 2])]))
  writeFileSync(join(place, '2025-12-31.duckdb'), 'no database')
  const loan = await sink.lend()
  const opened = await openSegments(loan.files, 'from "container:num_flows"')
  t.match(await answer(opened, 'select as_client from "container:num_flows"', limits), {
    rows: [[1]],
    notes: [/^2025-12-31 could not be read: IO Error/],
  })
  opened.close()
  loan.release()
})

t.test("DuckDB's message about wrong SQL; a missing table names the nearest", async t => {
  await t.rejects(ask('selec 1'), { message: /^Parser Error: syntax error at or near "selec"/ })
  await t.rejects(ask('select x from "container:num_flows"'), {
    message: /^Binder Error: Referenced column "x"/,
  })
  await t.rejects(ask('select * from "container:rt"'), {
    message:
      /^Catalog Error: Table with name container:rt does not exist! Did you mean "container:rtt" or .*double quotes$/,
  })
})

t.test('the route: limits can be lowered, not raised; bad requests are sentences', async t => {
  t.match(await post({ sql: 'from range(100)', maxRows: 3 }), { rows: { length: 3 }, truncated: true })
  t.match(await post({ sql: 'from range(100)', maxRows: 50 }), { rows: { length: 10 }, truncated: true })
  await t.rejects(post({}), { message: /the body must be/ })
  await t.rejects(post({ sql: 'select 1', maxRows: 0 }), { message: /maxRows must be a positive integer/ })
})

t.test('the route: two queries at a time, and one whose client has closed the connection ends', async t => {
  const client = new AbortController()
  const one = () => post({ sql: endless }, client.signal)
  const running = Promise.allSettled([one(), one()])
  await t.rejects(post({ sql: 'select 1' }), { name: 'Problem', status: 503 })
  setTimeout(() => client.abort(), 20)
  const results = await running
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.match(await post({ sql: 'select 1' }), { rows: [[1]] })
})
