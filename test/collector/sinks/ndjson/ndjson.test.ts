import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type Batch, Samples } from '../../../../collector/batch.ts'
import { linesOf, NdjsonSink } from '../../../../collector/sinks/ndjson/ndjson.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { scratch } from '../../../harness/scratch.ts'

const batch = (...ids: string[]): Batch => ({
  id: { host: 'h', boot: 'b', probe: 'p', window: 1, part: 'flows' },
  ...{ time: 1000, interval: 10, distributions: [] },
  samples: [
    new Samples(
      { name: 'flows', fields: ['bytes', 'rtt'] },
      ids.map(id => ({ id })),
      ids.flatMap((_, at) => [at, Number.NaN]),
    ),
  ],
})

async function place(t: { teardown(done: () => Promise<void>): void }): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  return join(await scratch(cleanup, 'ndjson'), 'flows.json')
}
const idsIn = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line).id)

t.test('a line for each record, without what is not known; an older file goes on', async t => {
  const path = await place(t)
  for (const id of ['a', 'b']) {
    const sink = await NdjsonSink.open({ path, maxBytes: 1000, maxFiles: 2 })
    await sink.write(batch(id))
    await sink.close()
  }
  t.equal(readFileSync(path, 'utf8'), '{"time":1000,"id":"a","bytes":0}\n{"time":1000,"id":"b","bytes":0}\n')
})

t.test('files of the size that is kept, and no more of them', async t => {
  const path = await place(t)
  const sink = await NdjsonSink.open({ path, maxBytes: 50, maxFiles: 3 })
  for (const id of 'abcdefgh') await sink.write(batch(id))
  t.same(
    [idsIn(`${path}.2`), idsIn(`${path}.1`), idsIn(path)],
    [
      ['c', 'd'],
      ['e', 'f'],
      ['g', 'h'],
    ],
  )
  t.same((await readdir(join(path, '..'))).length, 3)
  await sink.close()
})

t.test('a file that is removed or renamed by others', async t => {
  const path = await place(t)
  const sink = await NdjsonSink.open({ path, maxBytes: 1000, maxFiles: 2 })
  await sink.write(batch('a'))
  rmSync(path)
  await sink.write(batch('b'))
  t.same(idsIn(path), ['b'])
  renameSync(path, `${path}.old`)
  await sink.write(batch('c'))
  t.same(idsIn(path), ['c'])
  await sink.close()
})

t.test('what cannot be opened', async t => {
  await t.rejects(NdjsonSink.open({ path: '/proc/nowhere/x', maxBytes: 1, maxFiles: 1 }), /--flow-file/)
})

const open = (path: string) => NdjsonSink.open({ path, maxBytes: 50, maxFiles: 2 })

t.test('what is no file is refused at the start, with a remedy', async t => {
  const path = await place(t)
  execFileSync('mkfifo', [path])
  const folder = join(path, '..')
  const noFile = /: give a file, or - for standard output$/
  await t.rejects(open(path), noFile, 'a pipe that nobody reads')
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  await t.rejects(open(path), noFile, 'a pipe')
  closeSync(reader)
  for (const other of [folder, '/dev/null', join(path, 'x')]) await t.rejects(open(other), noFile, other)
  await t.rejects(
    open(join(folder, 'none', 'flows.json')),
    new RegExp(
      `cannot write .*--flow-file.*: make the directory ${join(folder, 'none')}, writable by the collector$`,
    ),
  )
  await t.rejects(open('/proc/flows.json'), /^cannot write \/proc\/flows.json \(--flow-file\)/)
})

t.test('/dev/stdout at a pipe is refused', async t => {
  const module = join(import.meta.dirname, '../../../../collector/sinks/ndjson/ndjson.ts')
  const script = `import { NdjsonSink } from ${JSON.stringify(module)}
    await NdjsonSink.open({ path: '/dev/stdout', maxBytes: 50, maxFiles: 2 }).catch(e => process.stdout.write(e.message))`
  const said = execFileSync('sh', ['-c', 'node --input-type=module | cat'], {
    input: script,
    encoding: 'utf8',
  })
  t.match(said, /^cannot write \/dev\/stdout \(--flow-file\): .*: give a file, or - for standard output$/)
})

t.test('a link to a file stays one, and older files are beside that file', async t => {
  const link = await place(t)
  const folder = join(link, '..')
  mkdirSync(join(folder, 'disk'))
  const file = join(folder, 'disk', 'flows')
  symlinkSync(file, link)
  const sink = await open(link)
  for (const id of 'abcd') await sink.write(batch(id))
  await sink.close()
  t.same(
    [idsIn(`${file}.1`), idsIn(file), idsIn(link)],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
  )
  t.same((await readdir(folder)).sort(), ['disk', 'flows.json'])
})

t.test('names bring no control characters to a terminal', async t => {
  const id = 'a\x9b31m\x7f\x1b[0m\x85\u00a0\u2028'
  const [line = ''] = linesOf(batch(id))
  t.notMatch(line, /(?!\n)\p{Cc}/u)
  t.equal(JSON.parse(line).id, id)
})
