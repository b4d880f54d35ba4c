import fc from 'fast-check'
import t from 'tap'
import { cut, idOf, PartError, pack, partOf, partText, unpack } from '../../../wire/nats/window.ts'

const frames = fc.array(
  fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)),
  { minLength: 1, maxLength: 8 },
)

const same = (a: Buffer[][], b: Buffer[][]): boolean =>
  a.length === b.length && a.every((message, at) => message.every((frame, n) => frame.equals(b[at]![n]!)))

t.test('a window that was cut into parts of any size is what it was', async t => {
  const property = fc.property(
    fc.array(frames, { minLength: 1, maxLength: 6 }),
    fc.integer({ min: 1, max: 200 }),
    (messages, most) => {
      const parts = cut(messages.map(pack), most)
      return parts.every(({ length }) => length > 0 && length <= most) && same(unpack(parts), messages)
    },
  )
  t.doesNotThrow(() => fc.assert(property))
})

t.test('it is cut between messages where each fits into a part', async t => {
  const messages = [10, 20, 30].map(length => [Buffer.alloc(length)]).map(pack)
  t.same(
    cut(messages, 50).map(({ length }) => length),
    [40, 35],
  )
})

t.test('what was cut off, or is no window, is refused', async t => {
  const whole = pack([Buffer.from('rows'), Buffer.from('names')])
  for (let length = 1; length < whole.length; length++)
    t.throws(() => unpack([whole.subarray(0, length)]), { name: /PartError|RangeError/ }, `${length} bytes`)
  const property = fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
    try {
      unpack([Buffer.from(bytes)])
    } catch (error) {
      return error instanceof PartError || error instanceof RangeError
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(property))
})

t.test('a part says which one of how many it is', async t => {
  t.same(partOf(partText(1, 3)), { index: 1, count: 3 })
  for (const text of ['', '0/1', '2/1', '1/1025', '1', '-1/2', '1/2/3', '1e1/20'])
    t.throws(() => partOf(text), PartError, text)
})

t.test('ids of two windows are never the same', async t => {
  const key = { host: 'a.b', boot: 'c', probe: 'd', window: 1 }
  t.not(idOf(key, '1/1'), idOf({ ...key, host: 'a', boot: 'b.c' }, '1/1'))
  t.not(idOf(key, '1/1'), idOf(key, '1/2'))
})
