import fc from 'fast-check'
import t from 'tap'
import { BoundedMap } from '../../wire/bounded_map.ts'

t.test('beyond the bound the entry goes that was set or used longest ago', async t => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1).set('b', 2)
  t.equal(map.get('a'), 1)
  map.set('c', 3)
  t.same(
    [...map],
    [
      ['a', 1],
      ['c', 3],
    ],
  )
  t.equal(map.peek('a'), 1, 'to look is no use')
  map.set('d', 4)
  t.same([...map.keys()], ['c', 'd'])
})

t.test('what is undefined is an entry, too', async t => {
  const map = new BoundedMap<string, string | undefined>(2)
  map.set('a', undefined).set('b', 'x')
  t.equal(map.get('a'), undefined)
  t.ok(map.has('a'))
  map.set('c', 'y')
  t.same([...map.keys()], ['a', 'c'])
  t.equal(map.get('never'), undefined)
  t.notOk(map.has('never'))
})

t.test('it is what the plainest list would be', async () => {
  const key = fc.nat({ max: 8 })
  const step = fc.record({ do: fc.constantFrom('set', 'get', 'peek', 'delete'), key })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step), (max, steps) => {
      const map = new BoundedMap<number, number>(max)
      let list: [number, number][] = []
      for (const [value, { do: what, key }] of steps.entries()) {
        const known = list.find(([name]) => name === key)
        const others = list.filter(([name]) => name !== key)
        if (what === 'set') {
          map.set(key, value)
          list = [...others, [key, value] as [number, number]].slice(-max)
        } else if (what === 'delete') {
          map.delete(key)
          list = others
        } else {
          const found = what === 'get' ? map.get(key) : map.peek(key)
          if (found !== known?.[1]) throw new Error(`${what} ${key} is ${found}`)
          if (what === 'get' && known) list = [...others, known]
        }
        if (JSON.stringify([...map]) !== JSON.stringify(list) || map.size !== list.length)
          throw new Error(`${JSON.stringify([...map])} instead of ${JSON.stringify(list)}`)
      }
    }),
  )
})
