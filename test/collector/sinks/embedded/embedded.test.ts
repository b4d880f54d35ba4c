import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { openSegments } from '../../../../collector/sinks/embedded/query/open.ts'
import { Refused } from '../../../../collector/sinks/sink.ts'
import { openStore, rows, temporary } from '../../../harness/embedded.ts'
import { batch, sample, start } from '../../../harness/samples.ts'

const DAY = 86_400
const all = 'SELECT * FROM "container:num_flows" ORDER BY time'
const count = 'SELECT count(*) FROM "container:num_flows"'
const writer = join(import.meta.dirname, '../../../harness/embedded_writer.ts')

t.test('a measurement is a table: time, a column per tag, a column per field', async t => {
  const sink = await openStore(t, await temporary(t))
  await sink.write(batch(0, [sample([3, undefined], { container: 'c', host: '', label_app: 'a' })]))
  t.same(await rows(sink, all), [['2026-01-02 03:04:00', null, 'c', ...Array(7).fill(null), 'a', 3, null]])
  t.same(
    (await rows(sink, 'DESCRIBE "container:num_flows"')).map(([name, type]) => `${name} ${type}`),
    [
      'time TIMESTAMP',
      ...['ifid', 'container', 'host', 'container_name', 'pod', 'namespace'].map(tag => `${tag} VARCHAR`),
      ...['owner_kind', 'owner_name', 'node', 'label_app'].map(tag => `${tag} VARCHAR`),
      'as_client DOUBLE',
      'as_server DOUBLE',
    ],
  )
})

t.test('new tags and fields become columns, also of a table from before a restart', async t => {
  const directory = await temporary(t)
  const first = await openStore(t, directory)
  await first.write(batch(0, [sample([1, 2])]))
  await first.write(batch(1, [sample([3, 4], { container: 'c1', "it's": 'new' })]))
  await first.close()
  const wider = { name: 'container:num_flows', fields: ['as_client', 'say "x"'] }
  const sink = await openStore(t, directory)
  await sink.write(batch(2, [sample([5, 6], { pod: 'p' }, wider), sample([7, 8])]))
  t.same(
    await rows(
      sink,
      `SELECT as_client, as_server, "it's", "say ""x""", pod FROM "container:num_flows" ORDER BY as_client`,
    ),
    [
      [1, 2, null, null, null],
      [3, 4, 'new', null, null],
      [5, null, null, 6, 'p'],
      [7, 8, null, null, null],
    ],
  )
})

t.test('days with different columns are one table, each in its own file', async t => {
  const directory = await temporary(t)
  const sink = await openStore(t, directory)
  await sink.write(batch(0, [sample([1, 2])]))
  await sink.write(batch(1, [sample([3, 4], { pod: 'late' })], start - 2 * DAY))
  t.same(
    await rows(sink, 'SELECT time, container, pod, as_client FROM "container:num_flows" ORDER BY time'),
    [
      ['2025-12-31 03:04:10', null, 'late', 3],
      ['2026-01-02 03:04:00', 'c1', null, 1],
    ],
  )
  t.same(
    readdirSync(directory).filter(name => name.endsWith('.duckdb')),
    ['2025-12-31.duckdb', '2026-01-02.duckdb'],
  )
})

t.test('the same window leaves one copy, also after a restart', async t => {
  const directory = await temporary(t)
  const first = await openStore(t, directory)
  await first.write(batch(0, [sample([1, 2])]))
  await first.write(batch(0, [sample([1, 2])]))
  await first.close()
  const sink = await openStore(t, directory)
  await sink.write(batch(0, [sample([1, 2])]))
  await sink.write(batch(1, [sample([1, 2])]))
  t.same(await rows(sink, count), [['2']])
})

t.test('more samples than one chunk holds', async t => {
  const sink = await openStore(t, await temporary(t))
  await sink.write(
    batch(
      0,
      Array.from({ length: 5000 }, (_, i) => sample([i, 0])),
    ),
  )
  t.same(await rows(sink, 'SELECT count(*), sum(as_client) FROM "container:num_flows"'), [
    ['5000', (5000 * 4999) / 2],
  ])
})

t.test(
  'kill -9 while writing: what was acknowledged is there once, the rest can be written again',
  async t => {
    const directory = await temporary(t)
    const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    let acknowledged = -1
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line)
      if (acknowledged === 20) child.kill('SIGKILL')
    }
    t.ok(acknowledged >= 20)
    const sink = await openStore(t, directory)
    const windows = () => rows(sink, 'SELECT count(*) FROM "container:num_flows" GROUP BY time ORDER BY time')
    const after = await windows()
    t.ok(after.length > acknowledged, `${after.length} windows for ${acknowledged + 1} acknowledged`)
    t.ok(
      after.every(([rows]) => rows === '500'),
      'every window is whole',
    )
    for (let window = 0; window <= acknowledged + 2; window++)
      await sink.write(
        batch(
          window,
          Array.from({ length: 500 }, (_, i) => sample([i, 0.5], { container: `c${i}` })),
        ),
      )
    t.same(
      await windows(),
      Array.from({ length: acknowledged + 3 }, () => ['500']),
    )
  },
)

t.test('a database that is no day of ours is left alone', async t => {
  const directory = await temporary(t)
  for (const name of ['mine.duckdb', '2026-01-02 copy.duckdb', '2026-01-02.duckdb.bak'])
    writeFileSync(join(directory, name), 'mine')
  const sink = await openStore(t, directory)
  t.same(sink.counters, { damagedDays: 0, damagedLogs: 0, expiredDays: 0, reopened: 0 })
  t.equal(readFileSync(join(directory, 'mine.duckdb'), 'utf8'), 'mine')
})

t.test('a second process is refused with a sentence', async t => {
  const directory = await temporary(t)
  const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  await t.rejects(openStore(t, directory), {
    message: `${directory} is open in another process (${child.pid}): stop it, or give each collector its own directory`,
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await openStore(t, directory)
})

t.test('a damaged day is renamed, said and counted, and the day begins again', async t => {
  const directory = await temporary(t)
  writeFileSync(join(directory, '2026-01-01.duckdb'), 'this is not a database'.repeat(1000))
  writeFileSync(join(directory, 'lock'), 'nor is this')
  const lines: string[] = []
  const sink = await openStore(t, directory, { lines })
  await sink.write(batch(0, [sample([1, 2])], start - DAY))
  t.equal(sink.counters.damagedDays, 1)
  t.match(lines, [
    /^2026-01-01 in the store is damaged .*; it was renamed to .*2026-01-01.duckdb.damaged-1767323040/,
  ])
  t.same(await rows(sink, count), [['1']])
})

t.test('garbage in the log does not cost the day what was folded into its file', async t => {
  const directory = await temporary(t)
  const first = await openStore(t, directory)
  await first.write(batch(0, [sample([1, 2])]))
  await first.close()
  writeFileSync(join(directory, '2026-01-02.duckdb.wal'), Buffer.alloc(4096, 0xff))
  const sink = await openStore(t, directory)
  await sink.write(batch(1, [sample([1, 2])]))
  t.same(await rows(sink, count), [['2']])
  t.equal(sink.counters.damagedDays, 0)
})

t.test('days past their age are removed, and their windows refused', async t => {
  const directory = await temporary(t)
  let now = start
  const sink = await openStore(t, directory, { maxAgeDays: 2, now: () => now * 1000 })
  for (const day of [-2, -1, 0]) await sink.write(batch(0, [sample([day, 0])], start + day * DAY))
  await t.rejects(sink.write(batch(0, [sample([1, 2])], start - 3 * DAY)), {
    name: 'Refused',
    reason: 'expired',
    samples: 1,
  })
  t.same(await rows(sink, count), [['3']])
  now += DAY
  await sink.write(batch(1, [sample([1, 0])], now))
  t.same(await rows(sink, 'SELECT as_client FROM "container:num_flows" ORDER BY 1'), [[-1], [0], [1]])
  t.equal(sink.counters.expiredDays, 1)
  t.notOk(readdirSync(directory).some(name => name.startsWith('2025-12-31')))
})

t.test(
  'the oldest days are removed when the files are too large, a query that reads one ends well',
  async t => {
    const directory = await temporary(t)
    const sink = await openStore(t, directory, { maxBytes: 1_500_000 })
    const much = Array.from({ length: 20_000 }, () => sample([Math.random(), Math.random()]))
    await sink.write(batch(0, much, start - 2 * DAY))
    const loan = await sink.lend()
    const reader = await openSegments(loan.files, all)
    const stream = await reader.connection.stream(all)
    await stream.fetchChunk()
    for (const day of [-1, 0]) await sink.write(batch(0, much, start + day * DAY))
    await sink.retain()
    const files = readdirSync(directory).filter(name => name.endsWith('.duckdb'))
    t.notOk(files.includes('2025-12-31.duckdb'))
    t.ok(files.includes('2026-01-02.duckdb'))
    t.ok((await stream.fetchAllChunks()).length > 5)
    reader.close()
    loan.release()
  },
)

t.test('when today alone is too large its windows are refused', async t => {
  const sink = await openStore(t, await temporary(t), { maxBytes: 10_000 })
  await sink.write(batch(0, [sample([1, 2])]))
  await sink.retain()
  await t.rejects(sink.write(batch(1, [sample([1, 2])])), {
    name: 'Refused',
    reason: 'full',
    message: /above 10000 bytes: raise --store-size/,
  })
})

t.test('a full disk is waited for: nothing stored is lost, nothing is stored twice', async t => {
  const directory = await temporary(t)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', directory], { stdio: 'pipe' })
  } catch {
    return t.plan(0, 'mounting a small file system needs root')
  }
  t.teardown(() => execFileSync('umount', [directory]))
  const sink = await openStore(t, directory)
  const samples = Array.from({ length: 2000 }, () => sample([Math.random(), Math.random()]))
  let stored = 0
  const full = await (async () => {
    for (;;) await sink.write(batch(stored, samples)).then(() => stored++)
  })().catch((error: Error) => error)
  t.notOk(full instanceof Refused)
  t.match(full.message, /^cannot write to .*No space left on device/)
  t.same(await rows(sink, count), [[String(stored * 2000)]])
  execFileSync('mount', ['-o', 'remount,size=20m', directory])
  await sink.write(batch(stored, samples))
  t.same(await rows(sink, count), [[String((stored + 1) * 2000)]])
  await sink.close()
})

t.test('values that are not finite are null and counted', async t => {
  const sink = await openStore(t, await temporary(t))
  const write = sink.write(batch(0, [sample([Number.NaN, 1]), sample([1, 2])]))
  await t.rejects(write, { name: 'Refused', reason: 'not_finite', samples: 1 })
  t.same(await rows(sink, 'SELECT as_client FROM "container:num_flows" ORDER BY 1'), [[1], [null]])
})

t.test('what the store cannot hold is refused and the next batch is stored', async t => {
  const sink = await openStore(t, await temporary(t))
  const clash = { name: 'container:num_flows', fields: ['a', 'A'] }
  await t.rejects(sink.write(batch(0, [sample([1, 2], {}, clash)])), {
    name: 'Refused',
    reason: 'bad_samples',
  })
  await t.rejects(sink.write(batch(Number.NaN, [sample([1, 2])])), { name: 'Refused', reason: 'bad_time' })
  await sink.write(batch(0, [sample([1, 2])]))
  t.same(await rows(sink, count), [['1']])
})

t.test('queries run while batches are written and see whole windows', async (t: Test) => {
  const sink = await openStore(t, await temporary(t))
  const samples = Array.from({ length: 300 }, (_, i) => sample([i, 0], { container: `c${i}` }))
  await sink.write(batch(0, samples))
  let writing = true
  const write = async () => {
    for (let window = 1; window <= 30; window++) {
      const tags: Record<string, string> = { [`t${window % 5}`]: 'x' }
      await sink.write(
        batch(window, [...samples, sample([1, 1], tags, { name: `m:${window}`, fields: ['a', 'b'] })]),
      )
    }
    writing = false
  }
  const read = async () => {
    while (writing) {
      const [[seen]] = (await rows(sink, count)) as [[string]]
      t.equal(Number(seen) % 300, 0)
    }
  }
  await Promise.all([write(), read(), read()])
  t.same(await rows(sink, count), [['9300']])
  t.equal(
    (await rows(sink, `SELECT 1 FROM duckdb_columns() WHERE table_name LIKE 'm:%' GROUP BY table_name`))
      .length,
    30,
  )
})
