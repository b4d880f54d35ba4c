import { networkInterfaces } from 'node:os'
import t from 'tap'
import { addressesOf, isIPv6Endpoint } from '../../wire/addresses.ts'

for (const endpoint of [
  'tcp://127.0.0.1:5556',
  'tcp://[::1]:5556',
  'tcp://[fe80::1%eth0]:5556',
  'tcp://*:5556',
  'ipc:///run/sockflux/collector',
  `tcp://${Object.keys(networkInterfaces())[0]}:5556`,
])
  t.test(`${endpoint} is itself`, async t => t.same(await addressesOf(endpoint), [endpoint]))

t.test('a name is all of its addresses', async t => {
  const found = await addressesOf('tcp://localhost:5556')
  t.ok(found.length > 0)
  for (const endpoint of found) t.match(endpoint, /^tcp:\/\/(127\.0\.0\.1|\[::1\]):5556$/)
})

t.test('a name that nobody knows is said', async t => {
  await t.rejects(addressesOf('tcp://nobody.invalid:5556'), /nobody\.invalid/)
})

t.test('* listens on both families', async t => {
  t.ok(isIPv6Endpoint('tcp://*:5556'))
  t.ok(isIPv6Endpoint('tcp://[::1]:5556'))
  t.notOk(isIPv6Endpoint('tcp://127.0.0.1:5556'))
  t.notOk(isIPv6Endpoint('ipc:///a[b'))
})
