import fc from 'fast-check'
import t from 'tap'
import {
  checkLayout,
  type Field,
  type Layout,
  LayoutError,
  numberOf,
  textOf,
  viewOf,
} from '../../wire/layout.ts'

const SIZES = { u8: 1, u16: 2, u32: 4, u64: 8, i8: 1, i16: 2, i32: 4, i64: 8 } as const
type NumberType = keyof typeof SIZES

const field = (type: NumberType, offset = 0): Field => ({ name: 'x', offset, size: SIZES[type], type })

t.test('a number is read as it was written, at every offset', async () => {
  const types = Object.keys(SIZES) as NumberType[]
  const any = fc.record({
    type: fc.constantFrom(...types),
    offset: fc.nat(40),
    row: fc.nat(3),
    bits: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  })
  fc.assert(
    fc.property(any, ({ type, offset, row, bits }) => {
      const bytes = SIZES[type]
      const layout = checkLayout({ name: 'l', size: offset + bytes + 3, fields: [field(type, offset)] })
      const rows = Buffer.alloc(layout.size * 4, 0xa5)
      for (let i = 0; i < bytes; i++)
        rows[row * layout.size + offset + i] = Number((bits >> BigInt(8 * i)) & 255n)
      const expected =
        type[0] === 'i' ? Number(BigInt.asIntN(bytes * 8, bits)) : Number(BigInt.asUintN(bytes * 8, bits))
      return numberOf(layout, 'x')(viewOf(rows), row * layout.size) === expected
    }),
  )
})

t.test('a text ends at its NUL or with its field', async t => {
  const fields: Field[] = [{ name: 'comm', offset: 1, size: 4, type: 'bytes' }]
  const comm = textOf(checkLayout({ name: 'l', size: 6, fields }), 'comm')
  t.equal(comm(Buffer.from('.ab\0cd'), 0), 'ab')
  t.equal(comm(Buffer.from('.abcd.'), 0), 'abcd')
  t.equal(comm(Buffer.from('.\0....'), 0), '')
  t.equal(comm(Buffer.from('......_wxyz_'), 6), 'wxyz')
})

t.test('a field that lies outside its record, or is not of its type, is refused', async t => {
  const wrong: unknown[] = [
    { ...field('u32'), offset: 5 },
    { ...field('u32'), offset: -1 },
    { ...field('u32'), offset: 0.5 },
    { ...field('u32'), offset: Number.MAX_SAFE_INTEGER },
    { ...field('u32'), offset: '0' },
    { ...field('u32'), size: 2 },
    { ...field('u32'), size: 0 },
    { ...field('u32'), type: 'f32' },
    { ...field('u32'), type: '__proto__' },
    { ...field('u32'), type: 'constructor' },
    { ...field('u32'), type: ['u32'] },
    { ...field('u32'), name: 7 },
    { ...field('u32'), name: 'x'.repeat(65) },
    { name: 'x', offset: 0, size: 9, type: 'bytes' },
    null,
    7,
    [],
  ]
  for (const one of wrong)
    t.throws(() => checkLayout({ name: 'l', size: 8, fields: [one] }), LayoutError, JSON.stringify(one))
})

t.test('a record has 1 to 65536 bytes and at most 256 fields', async t => {
  for (const size of [0, -1, 1.5, 65537, Infinity, Number.NaN, '8', null])
    t.throws(() => checkLayout({ name: 'l', size, fields: [] }), LayoutError, String(size))
  t.equal(checkLayout({ name: 'l', size: 1, fields: [field('u8')] }).size, 1)
  t.equal(checkLayout({ name: 'l', size: 65536, fields: [field('u64', 65528)] }).size, 65536)
  for (const fields of [undefined, {}, 'x', Array(257).fill(field('u8'))])
    t.throws(() => checkLayout({ name: 'l', size: 8, fields }), LayoutError)
})

t.test('whatever is no layout, only LayoutError is thrown, and what passes can be read', async () => {
  const loose = fc.record(
    {
      name: fc.oneof(fc.string(), fc.anything()),
      size: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.anything()),
      fields: fc.oneof(
        fc.array(
          fc.record({
            name: fc.constantFrom('x', 'y', '__proto__', 'constructor'),
            offset: fc.integer({ min: -1, max: 80 }),
            size: fc.constantFrom(0, 1, 2, 4, 8, 16),
            type: fc.constantFrom(...Object.keys(SIZES), 'bytes', '__proto__', 'toString'),
          }),
        ),
        fc.anything(),
      ),
    },
    { requiredKeys: [] },
  )
  const check = (value: unknown): void => {
    let layout: Layout
    try {
      layout = checkLayout(value)
    } catch (error) {
      if (error instanceof LayoutError) return
      throw error
    }
    const rows = Buffer.alloc(layout.size * 2, 0xff)
    for (const { name } of layout.fields) {
      const { type } = layout.fields.find(field => field.name === name)!
      if (type === 'bytes') textOf(layout, name)(rows, layout.size)
      else numberOf(layout, name)(viewOf(rows), layout.size)
    }
  }
  fc.assert(fc.property(fc.oneof(loose, fc.anything({ withNullPrototype: true })), check), { numRuns: 1000 })
})

t.test('of fields with one name the first is read, and fields may overlap as in a union', async t => {
  const fields = [field('u32'), { ...field('u32', 4) }, { ...field('u8', 1), name: 'part' }]
  const layout = checkLayout({ name: 'l', size: 8, fields })
  const view = viewOf(Buffer.from([1, 2, 0, 0, 9, 0, 0, 0]))
  t.equal(numberOf(layout, 'x')(view, 0), 513)
  t.equal(numberOf(layout, 'part')(view, 0), 2)
})

t.test('a field that is missing or of the other kind is named', async t => {
  const fields = [field('u32'), { name: 'comm', offset: 4, size: 4, type: 'bytes' }]
  const layout = checkLayout({ name: 'l', size: 8, fields })
  t.throws(() => numberOf(layout, 'constructor'), {
    name: 'LayoutError',
    message: 'l has no field constructor',
  })
  t.throws(() => numberOf(layout, 'comm'), { message: 'l.comm is not a number' })
  t.throws(() => textOf(layout, 'x'), { message: 'l.x is not a text' })
})
