import t from 'tap'
import { ask } from '../../cli/client.ts'
import type { Conversation } from '../../collector/flows/conversation.ts'
import { shortId } from '../../collector/fold/names.ts'
import type { PeerRow } from '../../collector/view/peers.ts'
import type { TopHost } from '../../collector/view/rows.ts'
import { inNetns } from '../harness/netns.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { openSite, SOCKFLUX } from '../harness/sockflux.ts'
import { ss } from '../harness/ss.ts'
import { openScreen } from '../harness/tmux.ts'
import { until } from '../harness/until.ts'
import { client, connected, serve, startPair } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss', 'containerd', 'iptables', 'tmux')
const CONNECTIONS = 12
const MANY = 10_000

t.test('top tells what ss tells, who talks with whom, and who waits for an answer', { skip }, async t => {
  const pair = await startPair({ rttMs: 10 })
  t.teardown(() => pair.close())
  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector(['--flows'])
  await site.probe(['--containerd-state', pair.node.containerd.stateDir, '--host', 'node-1'])
  const { shop, cart } = pair
  await serve(pair.node, cart.pod.containers.main, cart.address, '80')
  const load = client(pair.node, shop.pod.containers.main)
  await load.ask(`open ${CONNECTIONS} ${cart.address} 80`)
  await connected(shop.pod.netns, CONNECTIONS)
  await load.ask('echo 3 1000')

  const told = async () => JSON.parse((await site.run('top', '--json')).stdout) as Told
  const own = ({ flows }: Told) => (flows ?? []).filter(({ client }) => client?.pod === 'shop-0')
  const json = await until('what was sent, in top', async () => {
    const json = await told()
    const flows = own(json)
    return flows.length === CONNECTIONS && flows.every(({ total }) => total.bytes >= 3000) && json
  })
  const sockets = await ss({ netns: shop.pod.netns })
  t.equal(sockets.length, CONNECTIONS)
  for (const { local, peer, cookie, processes, bytesAcked, bytesReceived, retransmits, rttMs } of sockets) {
    const flow = own(json).find(({ client }) => client!.socket === cookie)
    t.match(flow, {
      state: 'ESTABLISHED',
      reporter: 'both',
      source: { ip: local.address, port: local.port },
      asked: { ip: peer.address, port: peer.port },
      client: { pid: processes[0]!.pid, process: 'load', pod: 'shop-0', namespace: 'trade', retransmits },
      server: { process: 'load', pod: 'cart-0' },
      total: { bytes: bytesAcked - 1, revBytes: bytesReceived }, // the SYN counts
    })
    t.ok(Math.abs(flow!.client!.rttUs! / 1000 - rttMs!) < 0.002, `${flow!.client!.rttUs} us is ${rttMs} ms`)
  }
  const peers = json.peers?.filter(({ client, server }) => client.pod === 'shop-0' && server.pod === 'cart-0')
  t.match(peers, [{ port: 80, protocol: 'tcp', flows: CONNECTIONS, client: { process: 'load' }, waiting: 0 }])
  const row = json.hosts[0]!.containers.find(({ id }) => id === shortId(shop.pod.containers.main.id))
  t.match(row, { name: 'main', pod: 'shop-0', namespace: 'trade', asClient: CONNECTIONS, asServer: 0 })
  t.match(
    json.hosts[0]!.pods.filter(({ namespace }) => namespace === 'trade')
      .map(({ name }) => name)
      .sort(),
    ['cart-0', 'shop-0'],
  )

  const screen = await openScreen(100, 30)
  t.teardown(() => screen.close())
  await screen.type([...SOCKFLUX, 'top', '--socket', site.socket].map(word => `'${word}'`).join(' '))
  await screen.shows(/^ CONTAINER/m)
  await screen.press('/')
  await screen.tmux('send-keys', '-l', 'shop-0')
  await screen.shows(/^>main +shop-0/m)
  await run(
    inNetns(cart.pod.netns, ['iptables', '-A', 'INPUT', '-p', 'tcp', '--dport', '8080', '-j', 'DROP']),
  )
  load.write(`open 1 ${cart.address} 8080`)
  const [waiting] = await until(
    'the SYN',
    async () =>
      (await ss({ netns: shop.pod.netns, filter: ['state', 'syn-sent'] })).length > 0 && [Date.now() / 1000],
  )
  const sentence = /^shop-0→cart-0:8080: 1 connection waits for an answer \d+ s$/
  const hosts = async () => JSON.parse((await ask(site.socket, 'GET', '/top')).body) as TopHost[]
  const seen = await until('two windows after it', async () => {
    const [host] = await hosts()
    // the first window ends after it was sent, the second one a second later
    return host!.time >= Math.ceil(waiting!) + 1 && host!
  })
  t.ok(
    seen.troubles.some(({ text }) => sentence.test(text)),
    JSON.stringify(seen.troubles),
  )
  t.match(
    seen.containers.find(({ id }) => id === shortId(shop.pod.containers.main.id)),
    { waiting: 1 },
  )

  await screen.shows(/^>main +shop-0 .* 1 SYN!/m)
  await screen.shows(/^! shop-0→cart-0:8080: 1 connection waits/m)
  await screen.shows(/^ load +main .* cart-0/m)
  await screen.press('Enter', 'Enter')
  await screen.shows(/connections of main[\s\S]*cart-0:80 +client +load/)
})

interface Told {
  readonly hosts: readonly TopHost[]
  readonly flows: readonly Conversation[] | null
  readonly peers: readonly PeerRow[] | null
}

t.test('ten thousand flows: the busiest are shown, any is found by a word', { skip }, async t => {
  const pair = await startPair({ rttMs: 0 })
  t.teardown(() => pair.close())
  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector(['--flows'])
  await site.probe(['--containerd-state', pair.node.containerd.stateDir])
  const { shop, cart } = pair
  await serve(pair.node, cart.pod.containers.main, cart.address, '80')
  const load = client(pair.node, shop.pod.containers.main)
  t.match(await load.ask(`open ${MANY} ${cart.address} 80`, 60_000), { opened: MANY })
  const screen = await openScreen(100, 30)
  t.teardown(() => screen.close())
  await screen.type(
    [...SOCKFLUX, 'top', '--view', 'flows', '--socket', site.socket].map(word => `'${word}'`).join(' '),
  )
  await screen.shows(/[\d,]+ more at the collector/)
  const { address, port } = await some(shop.pod.netns)
  await screen.press('/')
  await screen.tmux('send-keys', '-l', `shop-0 ${address}:${port}`)
  await screen.press('Enter')
  // one row, and no other
  await screen.shows(/^>tcp +shop-0 +cart-0:80 .*\n(?! tcp)(?![\s\S]*more at the collector)/m)
  await screen.press('Enter')
  await screen.shows(new RegExp(`from +${address}:${port}`))
})

async function some(netns: string) {
  const [socket] = await ss({ netns, filter: ['dport', '=', ':80'] })
  return socket!.local
}
