import fc from 'fast-check'
import t from 'tap'
import { hostOf, partitionOf, placeOf, subjectOf, tokenOf } from '../../../wire/nats/names.ts'

t.test('every host name is one token, and comes back', async t => {
  const property = fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), host => {
    const token = tokenOf(host)
    return hostOf(token) === host.toWellFormed() && /^[\w%!~'()-]+$/.test(token)
  })
  t.doesNotThrow(() => fc.assert(property))
  t.equal(tokenOf('web1.example.com'), 'web1%2Eexample%2Ecom')
  t.equal(hostOf('%E0%A4%A'), undefined)
})

t.test('a host is always in the same partition, by FNV-1a', async t => {
  // the published vectors of the hash: "" 0x811c9dc5, "a" 0xe40c292c, "foobar" 0xbf9cf968
  t.same(
    ['', 'a', 'foobar'].map(token => partitionOf(token, 2 ** 32)),
    [0x811c9dc5, 0xe40c292c, 0xbf9cf968],
  )
  t.same(placeOf(subjectOf(tokenOf('web.1'), 64)), { partition: partitionOf('web%2E1', 64), host: 'web.1' })
})

t.test('another subject is no window', async t => {
  for (const subject of ['sockflux.in.a', 'sockflux.w.a.b', 'sockflux.w.1', 'sockflux.w.1.a.b', 'x'])
    t.equal(placeOf(subject), undefined, subject)
})
