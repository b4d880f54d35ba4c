import t from 'tap'
import { ranked } from '../../wire/rendezvous.ts'

const endpoints = [1, 2, 3, 4, 5].map(number => `tcp://collector-${number}.example:5556`)
const hosts = Array.from({ length: 5000 }, (_, index) => `node-${index}`)
const first = (host: string, among = endpoints) => ranked(host, among)[0]!

t.test('everybody comes to the same order, whatever the order of the list', async t => {
  for (const host of hosts.slice(0, 100))
    t.same(ranked(host, endpoints), ranked(host, endpoints.toReversed()))
  t.same(ranked('h', ['tcp://a:1', 'tcp://a:1']), ['tcp://a:1'], 'each endpoint once')
  t.same(ranked('h', []), [])
})

t.test('hosts are spread evenly, and so are those of one that is away', async t => {
  const share = (count: number, of: number) => Math.abs(count - of) < 5 * Math.sqrt(of)
  const counts = Map.groupBy(hosts, host => first(host))
  for (const endpoint of endpoints) {
    const own = counts.get(endpoint)!
    t.ok(share(own.length, 1000), `${endpoint} has ${own.length} of ${hosts.length} hosts`)
    for (const [standby, moved] of Map.groupBy(own, host => ranked(host, endpoints)[1]!))
      t.ok(share(moved.length, own.length / 4), `and gives ${moved.length} of them to ${standby}`)
  }
})

t.test('a collector that is taken away moves its own hosts, to their standby, and no others', async t => {
  const [gone, ...left] = endpoints
  for (const host of hosts) {
    const [own, standby] = ranked(host, endpoints)
    if (first(host, left) !== (own === gone ? standby : own)) t.fail(`${host} moved`)
  }
})

t.test('the order is by the SHA-256 of host and endpoint, in every version', async t => {
  // printf '["node-1","tcp://a:1"]' | sha256sum: 005b…, b 222d…, c 70fa…
  t.same(ranked('node-1', ['tcp://a:1', 'tcp://b:1', 'tcp://c:1']), ['tcp://c:1', 'tcp://b:1', 'tcp://a:1'])
})
