import { spawn } from 'node:child_process'
import { once } from 'node:events'
/** What happens around the store: its directory, its logs, its clock, its size. */

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeDirectory } from '../../../../collector/directory.ts'
import { inFile, openStore, rows, temporary } from '../../../harness/embedded.ts'
import { batch, sample, start } from '../../../harness/samples.ts'

const DAY = 86_400
const stored = 'SELECT as_client FROM "container:num_flows" ORDER BY 1'
const one = (value: number) => [sample([value, 0])]

t.test(
  'a directory that was removed or replaced is made again, and what is acknowledged is in it',
  async t => {
    const directory = await temporary(t)
    const lines: string[] = []
    const sink = await openStore(t, directory, { lines })
    await sink.write(batch(0, one(0)))
    const elsewhere = mkdtempSync(`${directory}-`)
    t.teardown(() => rmSync(elsewhere, { recursive: true, force: true }))
    const breaks = [
      () => rmSync(directory, { recursive: true }),
      () => renameSync(directory, join(elsewhere, 'moved')),
      () => {
        rmSync(directory, { recursive: true })
        mkdirSync(directory)
      },
      () => {
        rmSync(directory, { recursive: true })
        symlinkSync(elsewhere, directory)
      },
      () => unlinkSync(join(directory, '2026-01-02.duckdb')),
      () => {
        copyFileSync(join(directory, '2026-01-02.duckdb'), join(elsewhere, 'copy'))
        renameSync(join(elsewhere, 'copy'), join(directory, '2026-01-02.duckdb'))
      },
    ]
    for (const [index, happens] of breaks.entries()) {
      happens()
      await sink.write(batch(index + 1, one(index + 1)))
      t.equal(lines.length, index + 1, 'one line')
      t.match(lines.at(-1), /was removed or replaced.*begins again there/)
      t.ok(existsSync(join(directory, '2026-01-02.duckdb')))
      const values = (await rows(sink, stored)).map(([value]) => value)
      t.ok(values.includes(index + 1), `${values} in it`)
    }
    t.equal(sink.counters.reopened, breaks.length)
    t.equal(sink.health(), undefined)
  },
)

t.test('a file in the place of the directory: the true cause, at the start and while running', async t => {
  const directory = await temporary(t)
  const path = join(directory, 'file')
  writeFileSync(path, '')
  for (const place of [path, join(path, 'store')]) {
    const cause = /is a file|a file is in its place|not a directory|is in a file/
    t.throws(() => makeDirectory(place, '--store', 0o700), { message: cause })
    await t.rejects(openStore(t, place), { message: cause })
  }
  const sink = await openStore(t, join(directory, 'store'))
  await sink.write(batch(0, one(0)))
  rmSync(join(directory, 'store'), { recursive: true })
  writeFileSync(join(directory, 'store'), '')
  await t.rejects(sink.write(batch(1, one(1))), { message: /a file is in its place/ })
  t.match(sink.health(), /a file is in its place/)
  unlinkSync(join(directory, 'store'))
  await sink.write(batch(1, one(1)))
  t.equal(sink.health(), undefined)
  t.same(await rows(sink, stored), [[1]])
})

t.test("files and directory are their owner's, whatever the umask and whatever was there", async t => {
  const parent = await temporary(t)
  const umask = process.umask(0)
  t.teardown(() => process.umask(umask))
  const modes = (directory: string) =>
    Object.fromEntries(
      ['', ...readdirSync(directory)].map(name => [
        name,
        (statSync(join(directory, name)).mode & 0o777).toString(8),
      ]),
    )
  const files = { '2026-01-02.duckdb': '600', '2026-01-02.duckdb.wal': '600', lock: '600' }
  for (const [name, mask, mode] of [
    ['open', 0, 0o777],
    ['closed', 0o777, 0o700],
    ['new', 0o027, undefined],
  ] as const) {
    const directory = join(parent, name)
    if (mode !== undefined) mkdirSync(directory)
    if (mode !== undefined) chmodSync(directory, mode)
    process.umask(mask)
    const sink = await openStore(t, directory)
    await sink.write(batch(0, one(0)))
    t.same(modes(directory), { '': '700', ...files })
    await sink.close()
    for (const file of readdirSync(directory)) chmodSync(join(directory, file), 0o666)
    chmodSync(directory, 0o755)
    const again = await openStore(t, directory)
    await again.write(batch(1, one(0)))
    t.same(modes(directory), { '': '700', ...files }, 'and again')
    await again.close()
  }
  process.umask(0o022)
  const others = join(parent, 'others')
  mkdirSync(others)
  writeFileSync(join(others, 'letter'), '')
  const sink = await openStore(t, others)
  await sink.write(batch(0, one(0)))
  t.same(modes(others), { '': '755', letter: '644', ...files }, 'what belongs to others keeps its mode')
})

/** A store whose process was killed: three windows in the file, three in the log. */
async function killed(t: Parameters<typeof temporary>[0]) {
  const directory = await temporary(t)
  const from = await temporary(t)
  const first = await openStore(t, from)
  for (const window of [0, 1, 2]) await first.write(batch(window, one(window)))
  await first.close()
  const second = await openStore(t, from)
  for (const window of [3, 4, 5]) await second.write(batch(window, one(window)))
  for (const file of ['2026-01-02.duckdb', '2026-01-02.duckdb.wal'])
    copyFileSync(join(from, file), join(directory, file))
  return { directory, log: join(directory, '2026-01-02.duckdb.wal') }
}

const tails: Record<string, Buffer> = {
  'all ones': Buffer.alloc(4096, 0xff),
  zeros: Buffer.alloc(4096),
  text: Buffer.from('not a log '.repeat(500)),
  'a length and nothing right behind it': Buffer.concat([
    Buffer.from([100, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.alloc(200, 7),
  ]),
}
for (const [name, tail] of Object.entries(tails))
  t.test(`garbage behind a log costs nothing that was acknowledged: ${name}`, async t => {
    const { directory, log } = await killed(t)
    writeFileSync(log, Buffer.concat([readFileSync(log), tail]))
    const sink = await openStore(t, directory)
    for (const window of [3, 6]) await sink.write(batch(window, one(window)))
    t.same(await rows(sink, stored), [[0], [1], [2], [3], [4], [5], [6]])
    t.equal(sink.counters.damagedDays, 0)
    await sink.close()
    t.same(await rows(await openStore(t, directory), stored), [[0], [1], [2], [3], [4], [5], [6]])
  })

t.test('a byte that changed in a log costs what comes after it', async t => {
  const { directory, log } = await killed(t)
  const bytes = readFileSync(log)
  bytes[bytes.length - 60]! ^= 0xff
  writeFileSync(log, bytes)
  const lines: string[] = []
  const sink = await openStore(t, directory, { lines })
  await sink.write(batch(6, one(6)))
  t.same(await rows(sink, stored), [[0], [1], [2], [3], [4], [6]])
  t.match(sink.counters, { damagedDays: 0, damagedLogs: 1 })
  t.match(lines, [/^the log of 2026-01-02 is damaged .*moved to .*2026-01-02.duckdb.damaged-1767323040.wal$/])
  t.ok(existsSync(join(directory, '2026-01-02.duckdb.damaged-1767323040.wal')))
})

t.test('a log that does not begin as one is kept aside, and the day goes on', async t => {
  const { directory, log } = await killed(t)
  const bytes = readFileSync(log)
  bytes[2]! ^= 0xff
  writeFileSync(log, bytes)
  const sink = await openStore(t, directory)
  await sink.write(batch(6, one(6)))
  t.same(await rows(sink, stored), [[0], [1], [2], [6]])
  t.match(sink.counters, { damagedDays: 0, damagedLogs: 1 })
  t.same(readFileSync(join(directory, '2026-01-02.duckdb.damaged-1767323040.wal')), bytes)
})

/** Another program that has a file of the store open. */
const HOLD = `import('@duckdb/node-api').then(async ({ DuckDBInstance }) => {
  globalThis.held = await DuckDBInstance.create(process.argv[1])
  console.log('open')
  process.stdin.resume()
})`

t.test('an error that is not known as damage is passing: nothing is renamed', async t => {
  const directory = await temporary(t)
  const path = join(directory, '2026-01-02.duckdb')
  const other = spawn(process.execPath, ['-e', HOLD, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(other.stdout, 'data')
  const sink = await openStore(t, directory)
  await t.rejects(sink.write(batch(0, one(0))), { message: /^cannot write to .*Could not set lock/ })
  t.match(sink.health(), /Could not set lock/)
  t.ok(statSync(path).isFile())
  other.kill()
  await once(other, 'close')
  await sink.write(batch(0, one(0)))
  t.same(await rows(sink, stored), [[0]])
  t.equal(sink.counters.damagedDays, 0)
})

t.test('a window more than a day ahead is refused', async t => {
  const directory = await temporary(t)
  const sink = await openStore(t, directory)
  for (let day = 2; day < 302; day++)
    await t.rejects(sink.write(batch(0, one(0), start + day * DAY)), { name: 'Refused', reason: 'future' })
  await sink.write(batch(0, one(1), start + DAY))
  t.same(await rows(sink, stored), [[1]])
  t.same(
    readdirSync(directory).filter(name => name.endsWith('.duckdb')),
    ['2026-01-03.duckdb'],
  )
})

t.test('three hundred days, past and forged: today is written, none is damaged', async t => {
  const directory = await temporary(t)
  const first = await openStore(t, directory, { maxAgeDays: 400 })
  await first.write(batch(0, one(0), start - DAY))
  await first.close()
  const names = (count: number, sign: number) =>
    Array.from({ length: count }, (_, index) =>
      new Date((start + sign * (index + 2) * DAY) * 1000).toISOString().slice(0, 10),
    )
  for (const day of [...names(150, -1), ...names(150, 1)])
    copyFileSync(join(directory, '2026-01-01.duckdb'), join(directory, `${day}.duckdb`))
  const sink = await openStore(t, directory, { maxAgeDays: 400 })
  await sink.write(batch(1, one(1)))
  for (const day of names(150, -1)) await sink.write(batch(2, one(2), Date.parse(day) / 1000))
  t.equal((await rows(sink, stored)).length, 301 + 1 + 150)
  t.match(sink.counters, { damagedDays: 0, reopened: 0 })
})

t.test('a day of a version before, with large blocks, is read and carried on beside', async t => {
  const directory = await temporary(t)
  await inFile(
    join(directory, '2026-01-02.duckdb'),
    'CREATE TABLE windows (host VARCHAR, boot VARCHAR, probe VARCHAR, "window" UBIGINT)',
    "INSERT INTO windows VALUES ('h', 'boot', 'run', 0)",
    'CREATE TABLE "container:num_flows" (time TIMESTAMP, container VARCHAR, as_client DOUBLE, as_server DOUBLE)',
    `INSERT INTO "container:num_flows" VALUES (to_timestamp(${start}) AT TIME ZONE 'UTC', 'c1', 0, 0)`,
    'CHECKPOINT',
  )
  const before = readFileSync(join(directory, '2026-01-02.duckdb'))
  const sink = await openStore(t, directory)
  for (const window of [0, 1]) await sink.write(batch(window, one(window)))
  t.same(await rows(sink, stored), [[0], [1]], 'a window that it has is not stored again')
  await sink.close()
  t.same(readFileSync(join(directory, '2026-01-02.duckdb')), before, 'it is not touched')
  t.ok(existsSync(join(directory, '2026-01-02.1.duckdb')))
})

const wide = (columns: number, from = 0, containers = 5) =>
  Array.from({ length: columns / 10 }, (_, index) => ({
    name: `wide:m${from + index}`,
    fields: Array.from({ length: 7 }, (_, field) => `f${field}`),
  })).flatMap(measurement =>
    Array.from({ length: containers }, (_, index) =>
      sample([index, 1.1, 2.2, 3.3, 4.4, 5.5, 6.6], { container: `c${index}`, pod: 'p' }, measurement),
    ),
  )

t.test('five hundred columns, restarted on the same day', async t => {
  const directory = await temporary(t)
  const samples = wide(500)
  for (let run = 0; run < 4; run++) {
    const sink = await openStore(t, directory)
    for (let window = run * 10; window < run * 10 + 10; window++) await sink.write(batch(window, samples))
    t.same(await rows(sink, 'SELECT count(*) FROM "wide:m49"'), [[String((run + 1) * 50)]])
    t.match(sink.counters, { reopened: 0 })
    await sink.close()
  }
})

t.test('more columns than there is memory for: the store goes on without a restart', async t => {
  const sink = await openStore(t, await temporary(t))
  let failed = 0
  for (let window = 0; window < 6; window++) {
    const one = batch(window, [...wide(3000, window * 300, 1), sample([window, 0])])
    await sink.write(one).catch(() => {
      t.match(sink.health(), /refuses writes .*opened again/)
      failed++
      return sink.write(one)
    })
    t.equal(sink.health(), undefined)
  }
  t.ok(failed > 0, `${failed} times without memory`)
  t.equal(sink.counters.damagedDays, 0)
  t.same(await rows(sink, stored), [[0], [1], [2], [3], [4], [5]])
})
