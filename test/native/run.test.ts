import t from 'tap'
import { compile, opened, unable, words } from './compile.ts'

const door = compile('door')
const skip = unable(door)

t.test('a syscall program is run again while it returns 1, with the same context', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  const context = words(0, 5, -22)
  t.equal(await object.run('work', context), -22)
  t.same(context, words(6, 0, -22), 'six passes, none left')
})

t.test('an iterator gives all that its program wrote', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  const pids = await object.iterate('tasks')
  t.ok(new Int32Array(pids.buffer, pids.byteOffset, pids.length / 4).includes(process.pid))
  t.equal((await object.iterate('tasks', { chunk: 7 })).length % 4, 0, 'in small reads, too')
})

t.test('an iterator that returns 1 is resumed until all is read', { skip }, async t => {
  const object = opened(t, door)
  object.setGlobal('resume_every', 10)
  object.resizeMap('squares', 1000)
  object.load()
  const squares = object.map('squares')
  for (let i = 0; i < 1000; i++) squares.set(words(i), words(i * i, 0))
  const pairs = await object.iterate('walk', { map: 'squares' })
  t.equal(pairs.length / 16, 1000)
  const seen = new Map<bigint, bigint>()
  for (let at = 0; at < pairs.length; at += 16)
    seen.set(pairs.readBigUInt64LE(at), pairs.readBigUInt64LE(at + 8))
  t.equal(seen.size, 1000)
  t.ok([...seen].every(([key, value]) => value === key * key))
  t.ok(object.map('.bss').view().readUInt32LE(20) >= 100, 'it was resumed')
})

t.test('close() while jobs run rejects what is not over yet', { skip }, async t => {
  const object = opened(t, door)
  object.setGlobal('resume_every', 1)
  object.load()
  const jobs = Promise.allSettled([object.run('work', words(0, 2 ** 32 - 1, 0)), object.iterate('tasks')])
  await new Promise(setImmediate)
  object.close()
  const [endless, tasks] = await jobs
  const canceled = { code: 'ECANCELED', message: /door.bpf.o was closed/ }
  t.match(endless, { status: 'rejected', reason: { ...canceled, syscall: 'run' } })
  if (tasks.status === 'rejected') t.match(tasks.reason, { ...canceled, syscall: 'iterate' })
})

t.test('a context that is too small is refused', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  await t.rejects(object.run('work', Buffer.alloc(4)), { code: 'EINVAL', syscall: 'run' })
})
