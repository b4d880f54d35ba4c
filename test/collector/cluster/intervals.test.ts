import fc from 'fast-check'
import t from 'tap'
import { Intervals } from '../../../collector/cluster/intervals.ts'

t.test('an owner has its key from its beginning to its end', async t => {
  const all = new Intervals<string>()
  all.begin('10.0.0.1', 'a', 10_000)
  all.end('10.0.0.1', 'a', 20_000)
  all.begin('10.0.0.1', 'b', 25_000)
  t.equal(all.at('10.0.0.1', 7000), undefined)
  t.equal(all.at('10.0.0.1', 10_000), 'a')
  t.equal(all.at('10.0.0.1', 19_999), 'a')
  t.equal(all.at('10.0.0.1', 20_000), undefined)
  t.equal(all.at('10.0.0.1', 25_000), 'b')
  t.equal(all.at('10.0.0.1', 9e12), 'b')
  t.equal(all.at('10.0.0.2', 25_000), undefined)
})

t.test('clocks may differ by two seconds', async t => {
  const all = new Intervals<string>()
  all.begin('k', 'a', 10_000)
  t.equal(all.at('k', 8000), 'a')
  t.equal(all.at('k', 7999), undefined)
})

t.test('who begins later takes the key from one whose end is not known', async t => {
  const all = new Intervals<string>()
  all.begin('k', 'a', 1000)
  all.begin('k', 'b', 5000)
  t.equal(all.at('k', 4999), 'a')
  t.equal(all.at('k', 5000), 'b')
  all.end('k', 'a', 60_000)
  t.equal(all.at('k', 30_000), 'b', 'an end that is heard of late changes nothing')
})

t.test('who is known to have ended later than its successor began had it until then', async t => {
  const all = new Intervals<string>()
  all.begin('k', 'a', 1000)
  all.begin('k', 'b', 5000)
  all.begin('k', 'c', 20_000)
  all.end('k', 'a', 9000, true)
  t.equal(all.at('k', 8999), 'a')
  t.equal(all.at('k', 9000), 'b')
  all.end('k', 'b', 60_000)
  t.equal(all.at('k', 30_000), 'c')
  all.end('k', 'b', 25_000, true)
  t.equal(all.at('k', 24_000), 'b')
  t.equal(all.at('k', 25_000), 'c')
})

t.test('an exact end that is heard of late gives back what was taken too early', async t => {
  const all = new Intervals<string>()
  all.begin('k', 'a', 1000)
  all.begin('k', 'b', 5000)
  all.begin('k', 'c', 20_000)
  all.end('k', 'a', 8000, true)
  t.equal(all.at('k', 7999), 'a')
  t.equal(all.at('k', 8000), 'b')
  t.equal(all.at('k', 20_000), 'c')
  all.end('k', 'a', 9000, true)
  t.equal(all.at('k', 8500), 'b', 'it ends once')
  all.end('k', 'b', 25_000, true)
  t.equal(all.at('k', 24_999), 'b')
  t.equal(all.at('k', 25_000), 'c')
})

t.test('who was over before the one before it was has never had the key', async t => {
  const all = new Intervals<string>()
  all.begin('k', 'a', 1000)
  all.begin('k', 'b', 5000, 7000)
  all.begin('k', 'c', 30_000)
  all.end('k', 'a', 8000, true)
  t.equal(all.at('k', 6000), 'a')
  t.equal(all.at('k', 9000), undefined)
  t.equal(all.at('k', 30_000), 'c')
})

t.test('who has a known end keeps the key until then', async t => {
  const all = new Intervals<string>()
  all.begin('k', 'a', 1000, 8000)
  all.begin('k', 'b', 5000)
  t.equal(all.at('k', 7999), 'a')
  t.equal(all.at('k', 8000), 'b')
})

t.test('the order in which owners are heard of does not count', async t => {
  const all = new Intervals<string>()
  all.begin('k', 'b', 5000)
  all.begin('k', 'a', 1000)
  t.equal(all.at('k', 4000), 'a')
  t.equal(all.at('k', 6000), 'b')
  all.begin('k', 'b', 5000)
  t.equal(all.at('k', 6000), 'b', 'the same again')
})

t.test('owners of the past are forgotten, the others stay', async t => {
  const all = new Intervals<string>()
  all.begin('k', 'a', 1000, 2000)
  all.begin('k', 'b', 3000)
  all.begin('l', 'a', 1000, 2000)
  all.expire(2001)
  t.equal(all.at('k', 1500), 'b', 'only by the slack of clocks')
  t.equal(all.at('k', 900), undefined)
  t.equal(all.at('k', 4000), 'b')
  t.equal(all.size, 1)
})

t.test('owners that follow one another are told apart, in whatever order they are heard of', async () => {
  const step = fc.record({ length: fc.integer({ min: 3, max: 50 }), gap: fc.nat(20) })
  const given = fc.array(step, { minLength: 1, maxLength: 12 }).chain(steps => {
    let time = 100
    const owners = steps.map(({ length, gap }, at) => {
      const from = time + gap
      time = from + length
      return { name: `owner ${at}`, from: from * 10_000, until: time * 10_000 }
    })
    return fc.shuffledSubarray(owners, { minLength: owners.length })
  })
  fc.assert(
    fc.property(given, owners => {
      const all = new Intervals<string>()
      for (const { name, from, until } of owners) all.begin('k', name, from, until)
      return owners.every(
        ({ name, from, until }) =>
          all.at('k', from) === name && all.at('k', until - 1) === name && all.at('k', until) !== name,
      )
    }),
  )
})

t.test(
  'owners that begin before the one before them ended wait for its end, in whatever order all is heard of',
  async () => {
    const step = fc.record({ length: fc.integer({ min: 10, max: 50 }), early: fc.nat(9) })
    const given = fc.array(step, { minLength: 2, maxLength: 8 }).chain(steps => {
      let end = 100
      const owners = steps.map(({ length, early }, at) => {
        const has = end
        end += length
        return { name: `owner ${at}`, from: (has - early) * 10_000, has: has * 10_000, until: end * 10_000 }
      })
      // each twice: the first time is its begin, the second its end
      const events = [...owners, ...owners]
      return fc.tuple(fc.constant(owners), fc.shuffledSubarray(events, { minLength: events.length }))
    })
    fc.assert(
      fc.property(given, ([owners, events]) => {
        const all = new Intervals<string>()
        const begun = new Set<string>()
        for (const { name, from, until } of events) {
          if (begun.has(name)) all.end('k', name, until, true)
          else all.begin('k', name, from)
          begun.add(name)
        }
        return owners.every(
          ({ name, has, until }) => all.at('k', has) === name && all.at('k', until - 1) === name,
        )
      }),
    )
  },
)
