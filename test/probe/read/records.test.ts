import t from 'tap'
import { Records } from '../../../probe/read/records.ts'

const record = (value: number) => Buffer.alloc(100, value)

t.test('records come out as they went in, and the room is used again', async t => {
  const records = new Records()
  t.equal(records.take().length, 0)
  const given = record(1)
  records.push(given)
  given.fill(9)
  records.push(record(2))
  t.equal(records.length, 200)
  const first = records.take()
  t.ok(first.equals(Buffer.concat([record(1), record(2)])))
  t.equal(records.length, 0)
  for (const value of [3, 4, 5]) records.push(record(value))
  t.ok(first.equals(Buffer.concat([record(1), record(2)])), 'what was taken stays while more comes')
  const second = records.take()
  t.ok(second.equals(Buffer.concat([record(3), record(4), record(5)])))
  records.push(record(6))
  t.equal(records.take().buffer, first.buffer)
})
