import t from 'tap'
import { Slabs } from '../../probe/slabs.ts'

const SIZE = 100_000
const filled = (bytes: number, value: number) => Buffer.alloc(bytes, value)

t.test('memory is used again when all holders have released it', async t => {
  const slabs = new Slabs(SIZE)
  const first = slabs.keep(filled(SIZE, 1), 2)
  first.release()
  const second = slabs.keep(filled(SIZE, 2), 1)
  t.not(second.rows.buffer, first.rows.buffer, 'one of two still holds it')
  t.ok(first.rows.equals(filled(SIZE, 1)))
  first.release()
  const third = slabs.keep(filled(SIZE - 1, 3), 1)
  t.equal(third.rows.buffer, first.rows.buffer)
  t.ok(third.rows.equals(filled(SIZE - 1, 3)))
  t.ok(second.rows.equals(filled(SIZE, 2)))
})

t.test('the rows are the caller’s own again', async t => {
  const slabs = new Slabs(SIZE)
  for (const bytes of [0, 10, SIZE, SIZE + 1]) {
    const given = filled(bytes, 1)
    const { rows } = slabs.keep(given, 1)
    given.fill(2)
    t.ok(rows.equals(filled(bytes, 1)), `${bytes} bytes`)
  }
})

t.test('what small and too large rows lie in is not kept', async t => {
  const slabs = new Slabs(SIZE)
  for (const bytes of [10, SIZE + 1]) slabs.keep(filled(bytes, 1), 1).release()
  t.equal(slabs.free, 0)
})

t.test('after a busy window only what the next needs is kept', async t => {
  const slabs = new Slabs(SIZE)
  const keep = () => slabs.keep(filled(SIZE, 1), 1)
  for (const kept of [keep(), keep(), keep()]) kept.release()
  slabs.trim()
  t.equal(slabs.free, 3)
  keep().release()
  slabs.trim()
  t.equal(slabs.free, 1)
})
