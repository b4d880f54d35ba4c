import t from 'tap'
import { Bundler } from '../../../probe/publish/bundler.ts'
import { Slabs } from '../../../probe/publish/slabs.ts'
import type { Layout } from '../../../wire/layout.ts'

const SIZE = 1000
const small: Layout = { name: 'small', size: 4, fields: [] }
const other: Layout = { ...small, name: 'other' }
const large: Layout = { name: 'large', size: 300, fields: [] }
const rows = (layout: Layout, count: number, value: number) => ({
  layout,
  bytes: Buffer.alloc(count * layout.size, value),
})

t.test('rows of several records go together; those of one that follow each other are one part', async t => {
  const bundler = new Bundler(new Slabs(SIZE), 1)
  for (const given of [rows(small, 2, 1), rows(small, 3, 2), rows(large, 1, 3), rows(small, 1, 4)])
    t.equal(bundler.add(given), given.bytes.length)
  const { parts, rows: bytes } = bundler.take()
  t.same(parts, [
    { layout: small, length: 20 },
    { layout: large, length: 300 },
    { layout: small, length: 4 },
  ])
  t.same([...new Set(bytes)], [1, 2, 3, 4])
  t.equal(bytes.length, 324)
  t.match(bundler.take(), { parts: [], rows: { length: 0 } }, 'then it is empty')
})

t.test('what is full takes whole rows only, and then none', async t => {
  const bundler = new Bundler(new Slabs(SIZE), 1)
  t.equal(bundler.add(rows(large, 5, 1)), 900)
  t.equal(bundler.add(rows(large, 2, 1)), 0)
  t.equal(bundler.add(rows(small, 50, 1)), 100, 'a smaller one may still fit')
  t.equal(bundler.take().rows.length, SIZE)
})

t.test('the rows that were given are the caller’s own again', async t => {
  for (const count of [1, 240]) {
    const bundler = new Bundler(new Slabs(SIZE), 1)
    const given = rows(small, count, 1)
    bundler.add(given)
    given.bytes.fill(2)
    t.same([...new Set(bundler.take().rows)], [1], `${count} rows`)
  }
})

t.test('memory is used again when all holders have released it, that of few rows at once', async t => {
  const slabs = new Slabs(SIZE)
  const bundler = new Bundler(slabs, 2)
  bundler.add(rows(small, 200, 1))
  const full = bundler.take()
  full.release()
  t.equal(slabs.free, 0, 'one of two still holds it')
  full.release()
  t.equal(slabs.free, 1)
  bundler.add(rows(small, 10, 2))
  const few = bundler.take()
  bundler.add(rows(small, 200, 3))
  t.equal(bundler.take().rows.buffer, full.rows.buffer)
  few.release()
  few.release()
  t.same([...new Set(few.rows)], [2])
})

t.test('there are no more parts than a collector takes', async t => {
  const bundler = new Bundler(new Slabs(10_000), 1)
  for (let part = 0; part < 256; part++) bundler.add(rows(part % 2 === 0 ? small : other, 1, 1))
  t.equal(bundler.add(rows(small, 1, 1)), 0)
  t.equal(bundler.add(rows(other, 1, 1)), 4, 'more of the last one is no part')
  t.equal(bundler.take().parts.length, 256)
})
