import { readFileSync } from 'node:fs'
import t from 'tap'
import { compile, opened, unable, words } from './compile.ts'

const door = compile('door')
const skip = unable(door)

/** `0-3` or `0,2-5`: the numbers in it. */
const possibleCpus = readFileSync('/sys/devices/system/cpu/possible', 'utf8')
  .trim()
  .split(',')
  .map(range => range.split('-').map(Number))
  .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)

t.test('a view is the memory that the programs write', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  const slots = object.map('slots')
  const view = slots.view()
  t.equal(slots.info.valueSize, 12)
  t.equal(view.length, 4 * 16, 'a value starts every 16 bytes')
  t.equal(view.readUInt32LE(16), 0)
  await object.run('touch', Buffer.alloc(0))
  t.equal(view.readUInt32LE(16), 42)
  view.writeUInt32LE(43, 16 + 4)
  t.same(slots.get(words(1)), words(42, 43, 0))
  t.equal(slots.view(), view, 'mapped once')
})

t.test('a map that cannot be mapped is an error', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  t.throws(() => object.map('squares').view(), { code: 'ENOTSUPP', syscall: 'mmap' })
  t.throws(() => object.map('.rodata').view(), { code: 'EPERM', syscall: 'mmap' })
})

t.test('entries are written, read and deleted by key', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  const squares = object.map('squares')
  t.equal(squares.get(words(3)), undefined)
  squares.set(words(3), words(9, 0))
  squares.set(words(3), words(10, 0))
  t.same(squares.get(words(3)), words(10, 0))
  t.equal(squares.delete(words(3)), true)
  t.equal(squares.delete(words(3)), false)
  for (let i = 0; i < 16; i++) squares.set(words(i), words(i * i, 0))
  t.throws(() => squares.set(words(99), words(0, 0)), { code: 'E2BIG', syscall: 'map_update' })
  t.throws(() => squares.get(Buffer.alloc(3)), {
    code: 'EINVAL',
    message: /squares: its key has 4 bytes, not 3/,
  })
})

t.test('all entries of a map come at once, more than one batch of them', { skip }, async t => {
  const object = opened(t, door)
  object.resizeMap('squares', 10_000)
  object.load()
  const squares = object.map('squares')
  t.same(squares.entries(), { keys: Buffer.alloc(0), values: Buffer.alloc(0), count: 0 })
  for (let i = 0; i < 10_000; i++) squares.set(words(i), words(i * i, 0))
  const { keys, values, count } = squares.entries()
  t.equal(count, 10_000)
  const roots = new Set<number>()
  for (let i = 0; i < count; i++) {
    const root = keys.readUInt32LE(i * 4)
    if (values.readUInt32LE(i * 8) === root * root) roots.add(root)
  }
  t.equal(roots.size, 10_000)
})

t.test('a per-CPU map has a value for every possible CPU', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  await object.run('touch', Buffer.alloc(0))
  const { values, count } = object.map('per_cpu').entries()
  t.equal(count, 3)
  t.equal(values.length, 3 * possibleCpus * 8)
  const mine = object.map('per_cpu').get(words(1))
  t.equal(mine?.length, possibleCpus * 8)
  t.equal(
    [...(mine ?? [])].reduce((sum, byte) => sum + byte),
    1,
  )
})
