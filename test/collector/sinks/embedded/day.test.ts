import t from 'tap'
import { openStore, rows, temporary } from '../../../harness/embedded.ts'
import { batch, sample } from '../../../harness/samples.ts'

t.test('a window is stored once, and so is its late part; also in a file that knew no parts', async t => {
  const directory = await temporary(t)
  const old = await openStore(t, directory)
  await old.write(batch(0, [sample([1, 2])]))
  await rows(old, 'ALTER TABLE "2026-01-02".main.windows DROP COLUMN part')
  await old.close()
  const sink = await openStore(t, directory)
  const { id, ...rest } = batch(0, [sample([3, 4])])
  const late = { ...rest, id: { ...id, part: 'late' as const } }
  for (const one of [batch(0, [sample([1, 2])]), late, late, { ...rest, id }]) await sink.write(one)
  t.same(await rows(sink, 'SELECT as_client FROM "container:num_flows" ORDER BY ALL'), [[1], [3]])
})
