import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { connectionsOf } from '../../../collector/page/talk/connections.ts'
import { Heaviest } from '../../../collector/page/talk/heaviest.ts'
import { mapOf } from '../../../collector/page/talk/map.ts'
import { Turns } from '../../../collector/page/talk/turns.ts'
import { POD_CLIENT, POD_SERVER, Stage } from '../flows/given.ts'

const FLOWS = 2500
const asked = (text = '') => new URLSearchParams(text)

/** Clients of one container, each with its own server outside; the n-th has carried n bytes, every tenth is on the host itself. */
function stage(flows = FLOWS): Stage {
  const stage = new Stage(2 * flows)
  const row = (n: number) => ({
    ...{
      socket: n,
      role: 1,
      state: 1,
      family: 2,
      pid: 5,
      hierarchy: 1,
      cgroup: n % 10 === 0 ? 9 : 1,
      comm: 'curl',
    },
    ...{ local: '10.0.0.1', remote: `10.1.${n >> 8}.${n & 255}`, local_port: n + 1, remote_port: 80 },
    ...{ bytes_sent: n, segs_resent: 1, srtt_us: n },
  })
  stage.rows(
    'a',
    0,
    'tcp_flow',
    Array.from({ length: flows }, (_, n) => row(n + 1)),
  )
  stage.end('a', 0)
  return stage
}

t.test('the busiest thousand of all connections, and how many there are', async t => {
  const { flows } = stage()
  const { connections, total } = await connectionsOf(flows, asked())
  t.equal(total, FLOWS)
  t.same(
    connections.map(({ total }) => total.bytes),
    Array.from({ length: 1000 }, (_, n) => FLOWS - n),
  )
  t.match(connections[1], { client: { host: 'a', containerName: 'web', pod: 'web-0' }, asked: { port: 80 } })
  const some = await connectionsOf(flows, asked('container=(host)'))
  t.equal(some.total, FLOWS / 10)
  t.ok(some.connections.every(({ client }) => client!.container === ''))
  const found = async (text: string) => (await connectionsOf(flows, asked(text))).total
  t.equal(await found('pod=web-0&namespace=shop'), FLOWS - FLOWS / 10)
  t.equal(await found('pod=web-0&role=client'), FLOWS - FLOWS / 10)
  t.equal(await found('pod=web-0&role=server'), 0)
  t.equal(await found('role=server'), FLOWS, 'a role is one of what is chosen')
  t.equal(await found('text=10.1.1.2:80'), 1)
  t.equal(await found('process=curl&host=a'), FLOWS)
  t.equal(await found('process=nginx'), 0)
  t.equal(await found('host=b'), 0)
})

t.test('the map adds up while it looks, and keeps the busiest pairs', async t => {
  const { flows } = stage()
  const { nodes, edges, total } = await mapOf(flows, asked())
  t.same(total, { edges: FLOWS, flows: FLOWS })
  t.equal(edges.length, 300)
  t.match(edges[0], { flows: 1, bytes: FLOWS, sentPerSecond: FLOWS / 10 })
  t.match(nodes[edges[0]!.server], { outside: true, id: '10.1.9.196', only: { text: /^=10.1.9.196$/ } })
  t.match(nodes[edges[1]!.client], { outside: false, name: 'web-0/web', only: { container: 'a'.repeat(12) } })
  t.equal(nodes.length, 302)
  const host = await mapOf(flows, asked('by=pod&text=10.1.0.10:80'))
  t.match(host, { nodes: [{ name: '(a)', only: { container: '(host)' } }, { id: '10.1.0.10' }] })
  await t.rejects(mapOf(flows, asked('by=x')), { status: 400, message: /by must be one of container/ })
})

t.test('a conversation that ends meanwhile is left out', async t => {
  const some = stage()
  const answer = connectionsOf(some.flows, asked())
  const { store } = some.flows
  const last = [...store.ofRun(store.runs.at(1)!)].at(0)!
  store.close(last, 1)
  store.sweep(() => true)
  t.equal((await answer).total, FLOWS - 1)
})

t.test('the heaviest of many', async t => {
  const heaviest = new Heaviest<number>(3)
  let made = 0
  const of = (value: number) => () => {
    made++
    return value
  }
  for (const value of [5, 1, 9, 2, 2, 8, 1, 7, 0, 0, 0]) heaviest.add(value, of(value))
  t.same(heaviest.values(), [9, 8, 7])
  t.equal(heaviest.count, 11)
  t.equal(made, 7, 'what weighs less than those is not made')
  t.same(new Heaviest(3).values(), [])
})

t.test('one answer is made at a time, and the same question is asked once', async t => {
  const turns = new Turns()
  let [now, most, made] = [0, 0, 0]
  const make = (answer: string) => async () => {
    made++
    most = Math.max(most, ++now)
    await turn()
    now--
    if (answer === 'wrong') throw new Error(answer)
    return answer
  }
  const ask = (question: string) => turns.ask(question, make(question))
  const wrong = t.rejects(ask('wrong'), { message: 'wrong' })
  t.same(await Promise.all(['a', 'b', 'a', 'a', 'c'].map(ask)), ['a', 'b', 'a', 'a', 'c'])
  await wrong
  t.equal(most, 1)
  t.equal(made, 4)
  await ask('a')
  t.equal(made, 5, 'a later one has an answer of its own')
})

t.test('what was sent again is of the last window, and a link shows one end alone', async t => {
  const some = new Stage()
  const to = (socket: number, remote: string) => ({ ...POD_CLIENT, socket, remote, remote_port: 53 })
  some.rows('a', 0, 'tcp_flow', [{ ...to(1, '10.9.0.1'), segs_resent: 5 }, to(2, '10.9.0.11')])
  some.end('a', 0)
  const find = (text: string) => mapOf(some.flows, asked(text))
  const { nodes, edges } = await find('by=pod')
  t.same(
    edges.map(({ retransmits }) => retransmits),
    [5, 0],
  )
  for (const { only, name } of nodes.filter(({ outside }) => outside)) {
    const found = await find(`by=pod&text=${only['text']}`)
    t.same(
      found.nodes.filter(({ outside }) => outside).map(({ name }) => name),
      [name],
    )
  }
  t.equal((await find('text=10.9.0.1')).total.flows, 2, 'a part of an address, too')
  t.equal((await find('text==shop/web-0')).total.flows, 2)
  t.equal((await find('text==shop/web')).total.flows, 0)
  t.equal((await find('text==10.9.0.1:53 tcp')).total.flows, 1)
  t.equal((await find('text==')).total.flows, 0, 'alone it is a sign like others')
  some.end('a', 1)
  t.equal((await find('by=pod')).edges[0]!.retransmits, 0)
})

t.test('bytes per second, also of hosts with windows of another length', async t => {
  const some = new Stage()
  some.rows('a', 0, 'tcp_flow', [{ ...POD_CLIENT, socket: 1, remote: '10.9.0.1', remote_port: 53 }])
  some.end('a', 0)
  some.interval = 50
  some.rows('b', 0, 'tcp_flow', [{ ...POD_SERVER, socket: 2, remote: '10.9.0.2', remote_port: 5000 }])
  some.end('b', 0)
  const rates = (rows: readonly { sentPerSecond: number; rcvdPerSecond: number }[]) =>
    rows.map(({ sentPerSecond, rcvdPerSecond }) => [sentPerSecond, rcvdPerSecond])
  const wanted = [
    [10, 0.7],
    [1.8, 0.2],
  ]
  t.same(rates((await mapOf(some.flows, asked())).edges), wanted)
  t.same(rates((await connectionsOf(some.flows, asked())).connections), wanted)
})

t.test('a link to what is in no container shows that of its host', async t => {
  const some = new Stage()
  const row = { ...POD_CLIENT, cgroup: 9, remote: '10.9.0.1', remote_port: 53 }
  for (const [socket, host] of ['a', 'b'].entries()) {
    some.rows(host, 0, 'tcp_flow', [{ ...row, socket: socket + 1, local: `10.0.0.${socket + 1}` }])
    some.end(host, 0)
  }
  for (const by of ['container', 'process', 'host']) {
    const { nodes } = await mapOf(some.flows, asked(`by=${by}`))
    const only = nodes.find(({ outside }) => !outside)!.only
    t.equal((await mapOf(some.flows, new URLSearchParams(only))).total.flows, 1, by)
  }
})
