import { once } from 'node:events'
import t from 'tap'
import { compile, opened, unable, words } from './compile.ts'

const door = compile('door')
const skip = unable(door)

t.test('records arrive by themselves, back to back and in order', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  const numbers: bigint[] = []
  let buffers = 0
  const all = new Promise<void>(resolve => {
    object.rings(['numbers', 'changes'], (ring, records) => {
      t.equal(ring, 'numbers')
      buffers++
      numbers.push(...new BigUint64Array(records.buffer, records.byteOffset, records.length / 8))
      if (numbers.length === 1000) resolve()
    })
  })
  await object.run('emit', words(1000, 0))
  await all
  t.same(
    numbers,
    Array.from({ length: 1000 }, (_, i) => BigInt(i)),
  )
  t.ok(buffers < 1000)
})

t.test('drain() hands over what is there before it returns', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  let bytes = 0
  const rings = object.rings(['numbers'], (_, records) => {
    bytes += records.length
  })
  for (let round = 1; round <= 3; round++) {
    const done = object.run('emit', words(500, 0))
    await done
    rings.drain()
    t.equal(bytes, round * 500 * 8)
  }
  t.equal(rings.drain(), 0)
})

t.test('a record of another size than the first is counted, not delivered', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  let bytes = 0
  const rings = object.rings(['numbers'], (_, records) => {
    bytes += records.length
  })
  await object.run('emit', words(1000, 10))
  rings.drain()
  t.equal(bytes, 900 * 8)
  t.equal(rings.badRecords, 100)
})

t.test('the callback may close its rings', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  let calls = 0
  const rings = object.rings(['numbers', 'changes'], () => {
    calls++
    object.close()
  })
  await object.run('emit', words(1000, 0)).catch(() => {})
  while (!calls) await new Promise(setImmediate)
  t.equal(calls, 1)
  t.throws(() => rings.drain(), { code: 'EBADF' })
})

t.test('what the callback throws reaches the caller of drain(), or the process', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  const rings = object.rings(['numbers'], () => {
    throw new Error('no appetite')
  })
  const emitted = object.run('emit', words(1, 0))
  const drain = () => {
    while (rings.drain() === 0) {} // no turn of the loop may come first
  }
  t.throws(drain, { message: 'no appetite' })
  await emitted
  const uncaught = once(process, 'uncaughtException')
  await object.run('emit', words(1, 0))
  t.match(await uncaught, [{ message: 'no appetite' }])
})

t.test('a map that is no ring is an error', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  t.throws(() => object.rings(['slots'], () => {}), { code: 'EINVAL', syscall: 'rings' })
})
