/** Who talks to whom, on three hosts with NAT between them: every connection is one record, with both ends right. */

import { statSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Samples } from '../../collector/batch.ts'
import { Flows } from '../../collector/flows/flows.ts'
import type { WindowNames } from '../../wire/message.ts'
import { pairsBinary } from '../harness/binary.ts'
import { Hosts } from '../harness/hosts.ts'
import { BOTH, DNAT, MASQUERADE, openNat, PORT } from '../harness/nat.ts'
import { inNetns } from '../harness/netns.ts'
import { type Child, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { tcpCounters } from '../harness/snmp.ts'
import { until } from '../harness/until.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'iptables') }
type Fields = Readonly<Record<string, string | number | undefined>>

/** What a program says of one of its connections. */
interface Told {
  readonly id: number
  readonly cookie: string
  readonly sent: number
  readonly received: number
}

async function told(child: Child): Promise<Told[]> {
  const all: Told[] = []
  for (;;) {
    const line = await child.line(/^(\d|end)/, 60_000)
    if (line === 'end') return all
    const [id, cookie, sent, received] = line.split(' ') as [string, string, string, string]
    all.push({ id: Number(id), cookie, sent: Number(sent), received: Number(received) })
  }
}

/** One program in one namespace. */
async function pairs(t: Test, netns: string, ...words: (string | number)[]): Promise<Child> {
  const child = start(inNetns(netns, [await pairsBinary(), ...words.map(String)]))
  t.teardown(() => child.close())
  return child
}

/** The stage, and the records that it has made. */
function stageOf() {
  const records: Fields[] = []
  const outlet = {
    needsFlows: true,
    push: ({ samples }: { samples: readonly Samples[] }, done: () => void) => {
      for (const some of samples)
        for (const { tags, values } of some.each())
          records.push({
            ...tags,
            ...Object.fromEntries(some.measurement.fields.map((name, at) => [name, values[at]])),
          })
      done()
    },
  }
  const flows = new Flows(
    { flows: true, maxLiveFlows: 100_000, metrics: [], subnetMatch: 'first' },
    [outlet],
    { warn() {} },
  )
  return { flows, records }
}

/** The client runs in a container, the server in a pod: the probe names them by their namespaces. */
const namesOf = (client: string, server: string): WindowNames => ({
  cgroups: {},
  netns: { [statSync(client).ino]: 'c', [statSync(server).ino]: 's' },
  containers: { c: { runtime: 'docker', name: 'shop' }, s: { runtime: 'cri', name: 'web', pod: 'u' } },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
  running: [],
})

t.test('tcp through every kind of NAT', real, async t => {
  const nat = await openNat()
  t.teardown(() => nat.close())
  const { flows, records } = stageOf()
  const servers = [
    await pairs(t, nat.server, 'server', PORT),
    await pairs(t, nat.server, 'server', MASQUERADE),
  ]
  for (const server of servers) await server.line(/ready/)
  const proxy = await pairs(t, nat.router, 'proxy', 9400, nat.v4[0]!, PORT)
  await proxy.line(/ready/)

  const held = await pairs(t, nat.client, 'client', nat.v4.join(), PORT, 100, 1_000_000, 1, 'hold')
  await held.line(/held/)
  const hosts = await Hosts.start(
    flows,
    { client: nat.client, router: nat.router, server: nat.server },
    namesOf(nat.client, nat.server),
  )
  t.teardown(() => hosts.close())

  const clients: { kind: string; all: Told[] }[] = []
  const children: Child[] = []
  const serverPids = servers.map(({ pid }) => pid)
  const addresses = [...nat.v4, ...nat.v6]
  let first = 0
  const drive = async (kind: string, count: number, address: string, port: number) => {
    const own = first
    first += count
    const child = await pairs(t, nat.client, 'client', address, port, count, own, 32)
    children.push(child)
    clients.push({ kind, all: await told(child) })
  }
  const each = async (count: number, kind = '') => {
    for (const [version, addresses, virtual, own] of [
      ['IPv4', nat.v4, nat.virtual[0], '10.77.1.1'],
      ['IPv6', nat.v6, nat.virtual[1], 'fd77:1::1'],
    ] as const) {
      await Promise.all([
        drive(`direct ${version}${kind}`, count, addresses.join(), PORT),
        drive(`dnat ${version}${kind}`, count, virtual, DNAT),
        drive(`masquerade ${version}${kind}`, count, addresses.join(), MASQUERADE),
        drive(`both ${version}${kind}`, count, own, BOTH),
      ])
    }
  }
  await each(1000)
  await drive('proxy', 200, '10.77.1.1', 9400)
  await nat.lose(20)
  await each(200, ', 2 % lost')
  await nat.lose(0)
  held.write('go')
  clients.push({ kind: 'older than the probe', all: await told(held) })
  for (const server of servers) server.end()
  const served = (await Promise.all(servers.map(told))).flat()
  const count = clients.reduce((sum, { all }) => sum + all.length, 0)
  t.ok(count > 9500, `${count} connections`)
  const proxied = clients.find(({ kind }) => kind === 'proxy')!.all.length

  const made = await Promise.all([nat.server, nat.router].map(tcpCounters))
  const passive = made.reduce((sum, { PassiveOpens = 0 }) => sum + PassiveOpens, 0)
  await until('all records', async () => {
    await hosts.windowEnd()
    return records.filter(({ reason }) => reason === 'end').length >= passive
  })
  const all = records.filter(({ reason }) => reason === 'end')
  t.equal(all.length, passive, 'one record for each socket that the kernel has made for a client')
  // now and then the kernel makes one and drops it at once, and no program has seen it
  const ended = all.filter(({ reporter, opened, closed }) => reporter === 'both' || opened !== closed)
  t.equal(ended.length, count + proxied, 'one record each; through the proxy there are two connections')
  t.equal(new Set(ended.map(({ id }) => id)).size, ended.length, 'no id twice')
  t.same(ended.filter(({ reporter }) => reporter !== 'both').slice(0, 2), [], 'both ends of all')
  const byId = new Map(served.map(one => [one.id, one]))
  const bySocket = new Map(ended.map(record => [record['client_socket'], record]))
  const byServerSocket = new Map(ended.map(record => [record['server_socket'], record]))
  const pids = [held, ...children].map(({ pid }) => pid)
  for (const { kind, all } of clients) {
    const isLossy = kind.includes('lost')
    const wrong = all.flatMap(client => {
      const [record, server] = [bySocket.get(client.cookie), byId.get(client.id)]
      if (!record || !server) return [{ client, record, server }]
      const back = kind === 'proxy' ? byServerSocket.get(server.cookie)! : record
      const faults = {
        other: kind !== 'proxy' && record['server_socket'] !== server.cookie,
        client: record['client_host'] !== 'client' || record['client_container_name'] !== 'shop',
        server: back['server_host'] !== 'server' || back['server_pod'] !== 'web-0',
        process:
          !pids.includes(Number(record['client_pid'])) || !serverPids.includes(Number(back['server_pid'])),
        answered:
          !addresses.includes(String(back['answered_ip'])) || Number(back['answered_port']) % 100 !== 0,
        bytes: kind.startsWith('older')
          ? false
          : isLossy
            ? isMore(record, client, server)
            : isOther(record, client),
      }
      return Object.values(faults).includes(true) ? [{ faults, client, server, record }] : []
    })
    t.same(wrong.slice(0, 2), [], `${all.length} ${kind}`)
  }
  t.equal(flows.losses()['flows/ambiguous'], 0)
  t.equal(flows.losses()['flows/full'], 0)
  t.equal(flows.store.table.size, 0, 'nothing is kept')
})

/** What either program sent and received is what either socket counts. */
const isOther = (record: Fields, client: Told): boolean =>
  [record['bytes'], record['client_bytes_sent'], record['server_bytes_rcvd']].some(
    bytes => bytes !== client.sent,
  ) ||
  [record['rev_bytes'], record['client_bytes_rcvd'], record['server_bytes_sent']].some(
    bytes => bytes !== client.received,
  )

/** With packets lost, a reset overtakes bytes: they were given to a socket, and some of them were sent. */
const isMore = (record: Fields, client: Told, server: Told): boolean =>
  Number(record['bytes']) > client.sent ||
  Number(record['bytes']) < server.received ||
  Number(record['rev_bytes']) > server.sent ||
  Number(record['rev_bytes']) < client.received

t.test('udp, in a namespace and between two', real, async t => {
  const nat = await openNat()
  t.teardown(() => nat.close())
  const { flows, records } = stageOf()
  const server = await pairs(t, nat.server, 'udp-server', PORT)
  await server.line(/ready/)
  const hosts = await Hosts.start(
    flows,
    { client: nat.client, server: nat.server },
    namesOf(nat.client, nat.server),
  )
  t.teardown(() => hosts.close())
  // what tells that the addresses are the server's
  const web = await pairs(t, nat.server, 'server', PORT)
  await web.line(/ready/)
  await told(await pairs(t, nat.client, 'client', [...nat.v4, ...nat.v6].join(), PORT, 6, 0, 1))
  await hosts.windowEnd()
  const asked: { kind: string; all: Told[] }[] = []
  const ask = async (kind: string, netns: string, address: string, count: number) =>
    asked.push({
      kind,
      all: await told(await pairs(t, netns, 'udp-client', address, PORT, count, asked.length * 1000)),
    })
  await ask('IPv4', nat.client, nat.v4[0]!, 300)
  await ask('IPv6', nat.client, nat.v6.at(-1)!, 300)
  await ask('loopback', nat.server, '127.0.0.1', 100)
  await hosts.windowEnd()
  await hosts.windowEnd()
  const { flows: live } = flows.ask({ filter: { end: {}, protocol: 'udp' }, order: 'bytes', limit: 5000 })
  const bySocket = new Map(live.flatMap(one => (one.client ? [[one.client.socket, one] as const] : [])))
  for (const { kind, all } of asked) {
    const wrong = all.filter(({ cookie, sent, received }) => {
      const one = bySocket.get(cookie)
      return one?.reporter !== 'both' || one.total.bytes !== sent || one.total.revBytes !== received
    })
    t.same(wrong.slice(0, 2), [], `${all.length} ${kind}`)
  }
  t.equal(live.length, 700, 'one record each')
  t.equal(records.filter(({ protocol }) => protocol === 'udp').length, 0, 'they go on')
})
