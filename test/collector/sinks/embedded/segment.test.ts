import { join } from 'node:path'
import t from 'tap'
import { inFile, openStore, rows, temporary } from '../../../harness/embedded.ts'
import { batch, sample } from '../../../harness/samples.ts'

t.test('a window is stored once, and so is its late part; also in a file that knew no parts', async t => {
  const directory = await temporary(t)
  const old = await openStore(t, directory)
  await old.write(batch(0, [sample([1, 2])]))
  await old.close()
  await inFile(join(directory, '2026-01-02.duckdb'), 'ALTER TABLE windows DROP COLUMN part')
  const sink = await openStore(t, directory)
  const { id, ...rest } = batch(0, [sample([3, 4])])
  const late = { ...rest, id: { ...id, part: 'late' as const } }
  for (const one of [batch(0, [sample([1, 2])]), late, late, { ...rest, id }]) await sink.write(one)
  t.same(await rows(sink, 'SELECT as_client FROM "container:num_flows" ORDER BY ALL'), [[1], [3]])
})

t.test('tags that differ in case only are one column, in this window and the next', async t => {
  const directory = await temporary(t)
  const sink = await openStore(t, directory)
  await sink.write(batch(0, [sample([1, 1], { label_App: 'a' }), sample([2, 2], { label_app: 'b' })]))
  await sink.write(
    batch(1, [sample([3, 3], { label_APP: 'c' }), sample([4, 4], { label_App: '', label_app: 'd' })]),
  )
  await sink.write(batch(8640, [sample([5, 5], { label_app: 'e' })]))
  t.same(await rows(sink, 'SELECT as_client, label_app FROM "container:num_flows" ORDER BY ALL'), [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
    [4, 'd'],
    [5, 'e'],
  ])
})
