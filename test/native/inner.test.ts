/** Maps that are made within maps. */

import t from 'tap'
import { compile, opened, unable, words } from './compile.ts'

const nested = compile('nested')
const skip = unable(nested)

t.test('programs see a map as soon as it is made', { skip }, async t => {
  const object = opened(t, nested)
  object.load()
  t.equal(await object.run('add_one', words(3)), -1, 'there is none yet')
  t.equal(await object.growMap('chunks', { first: 1, count: 2 }), 2)
  for (const [number, result] of [
    [1, -1],
    [2, 0],
    [5, 0],
    [6, -1],
  ] as const)
    t.equal(await object.run('add_one', words(number)), result, `number ${number}`)
  t.equal(object.map('chunks').entries().count, 2)
})

t.test('a table of another size, looked into by its name', { skip }, async t => {
  const object = opened(t, nested)
  object.load()
  t.equal(object.hasMade('large'), false)
  t.throws(() => object.map('large'), { code: 'ENOENT' })
  t.equal(await object.growMap('tables', { entries: 100, as: 'large' }), 1)
  t.equal(object.hasMade('large'), true)
  for (let i = 0; i < 100; i++) t.equal(await object.run('note', words(i)), 0)
  t.equal(await object.run('note', words(100)), -7, 'E2BIG')
  const large = object.map('large')
  t.match(large.info, { name: 'large', type: 'hash', maxEntries: 100, keySize: 4, valueSize: 8 })
  t.same(large.get(words(9)), words(81, 0))
  t.equal(large.entries().count, 100)
  t.equal(large.delete(words(9)), true)
  t.equal(await object.run('note', words(100)), 0)
})

t.test('what cannot be made', { skip }, async t => {
  const object = opened(t, nested)
  await t.rejects(object.growMap('chunks'), { code: 'EINVAL', message: /not loaded/ })
  object.load()
  await t.rejects(object.growMap('nothing'), { code: 'ENOENT' })
  await t.rejects(object.growMap('chunks', { first: 4 }), { code: 'E2BIG', syscall: 'grow_map' })
  t.equal(await object.growMap('chunks', { first: 3, count: 2 }), 1, 'as many as there are places')
  await t.rejects(object.growMap('chunks', { entries: 3 }), { code: 'EINVAL' })
  await t.rejects(object.growMap('tables', { entries: 0 }), { code: 'EINVAL' })
  object.map('chunks').close()
  object.close()
  await t.rejects(object.growMap('chunks'), { code: 'EBADF' })
})
