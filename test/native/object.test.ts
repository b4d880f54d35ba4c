import { type BpfError, bootTime, open } from 'bcc-bindings'
import t from 'tap'
import { compile, opened, unable } from './compile.ts'

const door = compile('door')
const light = compile('light')
const refused = compile('refused')
const skip = unable(light)

t.test('what is in an object file is known before it is loaded', async t => {
  const object = opened(t, light)
  t.same(object.programs, [
    { name: 'work', section: 'syscall', type: 'syscall' },
    { name: 'on_exit', section: 'raw_tp/sched_process_exit', type: 'raw_tracepoint' },
  ])
  t.match(
    object.maps.find(map => map.name === 'slots'),
    { type: 'array', keySize: 4, valueSize: 8, maxEntries: 1024 },
  )
})

t.test('a missing file and a file of another kind are errors with a code', async t => {
  t.throws(() => open('/nowhere/a.bpf.o'), { name: 'BpfError', code: 'ENOENT', errno: 2, syscall: 'open' })
  const noObject = { code: 'LIBBPF_ERRNO__FORMAT', message: /object.test.ts.*not a proper ELF object/ }
  t.throws(() => open(import.meta.filename), noObject)
})

t.test('an unknown name is an error that names the object', async t => {
  const object = opened(t, light)
  const named = (kind: string) => ({
    code: 'ENOENT',
    message: new RegExp(`^light.bpf.o has no ${kind} 'nothing'`),
  })
  t.throws(() => object.setGlobal('nothing', 1), named('global number'))
  t.throws(() => object.resizeMap('nothing', 1), named('map'))
  t.throws(() => object.map('nothing'), named('map'))
  t.throws(() => object.setAutoload('nothing', false), named('program'))
  t.throws(() => object.attach('nothing'), named('program'))
  await t.rejects(object.iterate('nothing'), named('program'))
  await t.rejects(object.run('nothing', Buffer.alloc(0)), named('program'))
})

t.test('a global takes what its type holds and nothing else', async t => {
  const object = opened(t, door)
  for (const [name, least, most] of [
    ['port', 0n, 65_535n],
    ['small', -128n, 127n],
    ['yes', 0n, 255n],
    ['wide', 0n, 2n ** 64n - 1n],
  ] as const) {
    object.setGlobal(name, least)
    object.setGlobal(name, most)
    t.throws(() => object.setGlobal(name, least - 1n), { code: 'ERANGE', message: new RegExp(name) })
    t.throws(() => object.setGlobal(name, most + 1n), { code: 'ERANGE' })
  }
  object.setGlobal('yes', true)
  t.throws(() => object.setGlobal('port', 1.5), RangeError)
})

t.test('what belongs before load() is refused after it', { skip }, async t => {
  const object = opened(t, light)
  t.throws(() => object.attach('on_exit'), { code: 'EINVAL', message: /not loaded/ })
  object.resizeMap('slots', 2048)
  object.load()
  t.equal(object.map('slots').info.maxEntries, 2048)
  t.throws(() => object.setGlobal('step', 2), { code: 'EBUSY' })
  t.throws(() => object.resizeMap('slots', 1), { code: 'EBUSY' })
  t.throws(() => object.setAutoload('work', false), { code: 'EBUSY' })
  t.throws(() => object.load(), { code: 'EBUSY' })
})

t.test("the verifier's log comes with its refusal", { skip }, async t => {
  const object = opened(t, refused)
  try {
    object.load()
    t.fail('it was loaded')
  } catch (error) {
    const { code, syscall, message, log } = error as BpfError
    t.match({ code, syscall, message }, { code: 'EACCES', syscall: 'load', message: /prog 'careless'/ })
    t.match(log, /invalid mem access 'map_value_or_null'/)
  }
})

t.test('a program that is left out does not stop the others', { skip }, async t => {
  const object = opened(t, refused)
  object.setAutoload('careless', false)
  object.load()
  t.equal(await object.run('careful', Buffer.alloc(0)), 7)
  await t.rejects(object.run('careless', Buffer.alloc(0)), { message: /left out of load/ })
  t.same(
    object.programStats().map(program => program.name),
    ['careful'],
  )
})

t.test('a closed object throws, whatever is asked', { skip }, async t => {
  const object = opened(t, light)
  object.load()
  const link = object.attach('on_exit')
  const rings = object.rings(['records'], () => {})
  const slots = object.map('slots')
  const view = slots.view()
  t.equal(view.length, 1024 * 8)
  object.close()
  object.close()
  link.detach()
  rings.close()
  t.equal(view.length, 0)
  const key = Buffer.alloc(4)
  for (const use of [
    () => object.programs,
    () => object.maps,
    () => object.load(),
    () => object.attach('on_exit'),
    () => object.layout('work'),
    () => object.map('slots'),
    () => object.rings(['records'], () => {}),
    () => object.programStats(),
    () => rings.drain(),
    () => slots.view(),
    () => slots.get(key),
    () => slots.set(key, Buffer.alloc(8)),
    () => slots.entries(),
  ])
    t.throws(use, { code: 'EBADF', message: /closed/ }, String(use))
  await t.rejects(object.run('work', key), { code: 'EBADF' })
  await t.rejects(object.iterate('work'), { code: 'EBADF' })
})

t.test('bootTime() is the clock of /proc/uptime', async t => {
  const before = bootTime()
  t.type(before, 'bigint')
  t.ok(bootTime() >= before)
})
