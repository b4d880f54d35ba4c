import { readFileSync, renameSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type Batch, Samples } from '../../../../collector/batch.ts'
import { NdjsonSink } from '../../../../collector/sinks/ndjson/ndjson.ts'
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
