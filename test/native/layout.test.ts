import t from 'tap'
import { compile, opened } from './compile.ts'

const door = compile('door')

t.test('a layout has the offset, size, type and meaning of every member', async t => {
  const { name, size, fields } = opened(t, door).layout('change')
  t.equal(name, 'change')
  t.equal(size, 96)
  const rows = fields.map(f => [f.name, f.offset, f.size, f.type, f.count, f.typedef ?? '', f.text])
  t.same(rows, [
    ['at_ns', 0, 8, 'u64', 1, 'boot_ns_t', false],
    ['difference', 8, 8, 'i64', 1, '', false],
    ['waited_us', 16, 4, 'u32', 1, 'usec_t', false],
    ['old_state', 20, 4, 'u32', 1, '', false],
    ['new_state', 24, 4, 'i32', 1, '', false],
    ['local_port', 28, 2, 'u16', 1, '', false],
    ['remote_port', 30, 2, 'u16', 1, '__be16', false],
    ['address', 32, 16, 'bytes', 16, 'address_t', false],
    ['comm', 48, 16, 'bytes', 16, 'comm_t', true],
    ['bytes', 64, 6, 'bytes', 6, '', false],
    ['small', 70, 1, 'i8', 1, '', false],
    ['yes', 71, 1, 'u8', 1, '', false],
    ['names', 72, 8, 'bytes', 8, '', true],
    ['ports', 80, 4, 'u16', 2, '', false],
    ['state', 84, 4, 'u32', 1, '', false],
    ['cgroup.id', 88, 4, 'u32', 1, '', false],
    ['cgroup.level', 92, 4, 'u32', 1, '', false],
  ])
})

t.test('an enum has its values by name, in order', async t => {
  const object = opened(t, door)
  t.same(Object.entries(object.enumerators('state')), [
    ['CLOSED', 7],
    ['LISTENING', 10],
  ])
  t.throws(() => object.enumerators('change'), { code: 'ENOENT', message: /door.bpf.o has no enum 'change'/ })
})

t.test('a struct that is not flat data is refused with the member', async t => {
  const object = opened(t, door)
  t.throws(() => object.layout('bpf_iter_meta'), { code: 'EINVAL', message: /seq is neither a number/ })
  t.throws(() => object.layout('nothing'), { code: 'ENOENT', message: /door.bpf.o has no struct 'nothing'/ })
})
