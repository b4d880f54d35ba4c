import fc from 'fast-check'
import t from 'tap'
import { encodeRows, layoutOf } from '../../wire/columns.ts'
import { checkLayout, numberOf, textOf, viewOf } from '../../wire/layout.ts'

const COLUMNS = { small: 'u8', port: 'u16', name: 4, count: 'u32', bytes: 'u64' } as const
const layout = layoutOf('some', COLUMNS)

t.test('the layout is one that the other side takes', async t => {
  t.same(checkLayout(JSON.parse(JSON.stringify(layout))), layout)
  t.equal(layout.size, 19)
})

t.test('what is put in comes out', async t => {
  const row = fc.record({
    small: fc.nat(255),
    port: fc.nat(65_535),
    name: fc.constantFrom('', 'a', 'four'),
    count: fc.nat(2 ** 32 - 1),
    bytes: fc.maxSafeNat(),
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), rows => {
      const buffer = encodeRows<typeof COLUMNS>(layout, rows)
      const read = rows.map((_, index) => ({
        small: numberOf(layout, 'small')(viewOf(buffer), index * layout.size),
        port: numberOf(layout, 'port')(viewOf(buffer), index * layout.size),
        name: textOf(layout, 'name')(buffer, index * layout.size),
        count: numberOf(layout, 'count')(viewOf(buffer), index * layout.size),
        bytes: numberOf(layout, 'bytes')(viewOf(buffer), index * layout.size),
      }))
      t.same(read, rows)
    }),
  )
})

t.test('what does not fit is brought to the nearest that does', async t => {
  const rows = [{ small: 256, port: -1, name: 'longer', count: 1.9, bytes: Number.NaN }]
  const buffer = encodeRows<typeof COLUMNS>(layout, rows)
  const number = (name: string) => numberOf(layout, name)(viewOf(buffer), 0)
  t.same(['small', 'port', 'count', 'bytes'].map(number), [255, 0, 1, 0])
  t.equal(textOf(layout, 'name')(buffer, 0), 'long')
  const full = encodeRows<typeof COLUMNS>(layout, [{ ...rows[0]!, bytes: Number.POSITIVE_INFINITY }])
  t.equal(numberOf(layout, 'bytes')(viewOf(full), 0), 2 ** 64 - 2048)
})

t.test('64 bits that are given whole stay whole', async t => {
  const whole = [2n ** 53n + 1n, 2n ** 64n - 1n]
  const buffer = encodeRows<typeof COLUMNS>(
    layout,
    [...whole, 2n ** 64n].map(bytes => ({ bytes })),
  )
  const at = layout.fields.find(({ name }) => name === 'bytes')!.offset
  const read = [0, 1, 2].map(row => buffer.readBigUInt64LE(row * layout.size + at))
  t.same(read, [...whole, 2n ** 64n - 2048n])
})
