import t from 'tap'
import { Assembly } from '../../../../../collector/ingest/link/nats/assembly.ts'

function given() {
  const acked: number[] = []
  const assembly = new Assembly()
  const add = (host: string, sequence: number, part: string) =>
    assembly.add({
      ...{ host, sequence, part, bytes: Buffer.from(part), interval: 10 },
      receipt: { sequence, ack: () => acked.push(sequence), working() {} },
    })
  return { acked, assembly, add }
}

t.test('parts of several hosts, in any order, become their windows', async t => {
  const { add, assembly } = given()
  t.equal(add('a', 1, '2/2'), undefined)
  t.equal(add('b', 2, '1/2'), undefined)
  t.equal(assembly.first, 1)
  const whole = add('a', 3, '1/2')
  t.match(whole, { host: 'a', first: 1, last: 3 })
  t.same(
    whole?.parts.map(({ part }) => part),
    ['1/2', '2/2'],
  )
  t.equal(assembly.first, 2)
  t.match(add('c', 4, '1/1'), { first: 4, last: 4 })
})

t.test('a set that is not whole when the next window begins is torn, counted, and settled', async t => {
  const { add, assembly, acked } = given()
  add('a', 1, '1/3')
  add('a', 2, '2/3')
  t.equal(add('a', 3, '1/3'), undefined, 'another window of three parts')
  t.same([assembly.torn, acked], [1, [1, 2]])
  t.match(add('a', 4, '1/1'), { first: 4 }, 'a window of one part')
  t.same([assembly.torn, acked], [2, [1, 2, 3]])
})

t.test('what is no part is counted', async t => {
  const { add, assembly, acked } = given()
  for (const part of ['', '3/2', 'x']) t.equal(add('a', 1, part), undefined)
  t.same([assembly.torn, acked, assembly.first], [3, [1, 1, 1], Number.POSITIVE_INFINITY])
})
