import t from 'tap'
import { Slabs } from '../../../probe/publish/slabs.ts'

t.test('memory that is given back is used again', async t => {
  const slabs = new Slabs(100_000)
  const [first, second] = [slabs.take(), slabs.take()]
  t.equal(first.length, 100_000)
  t.not(second.buffer, first.buffer)
  slabs.give(first)
  t.equal(slabs.free, 1)
  t.equal(slabs.take(), first)
  t.equal(slabs.free, 0)
})

t.test('after a busy window only what the next needs is kept', async t => {
  const slabs = new Slabs(100_000)
  for (const slab of [slabs.take(), slabs.take(), slabs.take()]) slabs.give(slab)
  slabs.trim()
  t.equal(slabs.free, 3)
  slabs.give(slabs.take())
  slabs.trim()
  t.equal(slabs.free, 1)
})
