/** The whole way with real programs: a probe, a collector with --flows, and `sockflux flows`. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pairsBinary } from '../harness/binary.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { openSite, sockflux } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }
const COUNT = 20

t.test('conversations from the kernel to the command', real, async t => {
  const [site, netns] = [await openSite(), await createNetns()]
  t.teardown(() => site.close())
  t.teardown(() => netns.close())
  const file = join(site.directory, 'flows.json')
  const collector = await site.collector(['--flows', '--flow-file', file, '--metrics', 'flows,peer,stats'])
  await site.probe()
  const pairs = async (...words: string[]) => {
    const child = start(inNetns(netns.path, [await pairsBinary(), ...words]))
    t.teardown(() => child.close())
    return child
  }
  const server = await pairs('server', '9000')
  await server.line(/ready/)
  const client = await pairs('client', '127.0.0.1', '9000', String(COUNT), '0', '4')
  await client.line(/end/)
  const held = await pairs('client', '127.0.0.1', '9000', '3', '100', '1', 'hold')
  await held.line(/held/)

  const own = ({ client_netns }: Record<string, unknown>) => client_netns === statSync(netns.path).ino
  const flows = async (...words: string[]) => {
    const { stdout, stderr, code } = await site.run('flows', '--json', ...words)
    if (code !== 0) throw new Error(stderr)
    const rows = stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Record<string, unknown>)
    return rows.filter(own)
  }
  await until(
    'records',
    async () => {
      const recorded = await flows('--process', 'pairs').catch((error: Error) => {
        // a machine that is busy takes long for a query
        if (/no conversation has been recorded|took more than/.test(error.message)) return []
        throw error
      })
      return recorded.length >= COUNT
    },
    60_000,
  )
  const isEnd = ({ reason }: Record<string, unknown>) => reason === 'end'
  // those that are held have a record a minute
  const all = (await flows('--port', '9000', '--process', 'pairs', '--since', '10m')).filter(isEnd)
  t.equal(all.length, COUNT)
  for (const row of all)
    t.match(row, {
      ...{ reporter: 'both', reason: 'end', state: 'CLOSE', protocol: 'tcp', client_process: 'pairs' },
      ...{
        client_pid: client.pid,
        server_pid: server.pid,
        asked_ip: '127.0.0.1',
        asked_port: 9000,
        client_uid: 0,
      },
    })
  t.equal((await flows('--with', 'process/pairs', '--state', 'close')).length, COUNT)
  t.equal((await flows('--process', String(server.pid), '--with', `process/${client.pid}`)).length, COUNT)
  t.equal((await flows('--process', 'pairs', '--peer', 'unknown')).length, 0)
  t.equal((await flows('--process', 'pairs', '--until', '1h')).length, 0)

  const live = await flows('--live', '--state', 'open', '--process', 'pairs')
  t.equal(live.length, 3)
  t.match(live, [{ state: 'ESTABLISHED', server_process: 'pairs', reporter: 'both' }])
  const top = JSON.parse((await site.run('top', '--json')).stdout) as {
    flows: { client?: { netns: number } }[]
  }
  t.ok(
    top.flows.some(({ client }) => client?.netns === statSync(netns.path).ino),
    'conversations in top',
  )

  const lines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line))
      .filter(own)
  t.ok(existsSync(file))
  const ends = () => lines().filter(isEnd).length
  await until('a line each', () => ends() >= COUNT, 60_000)
  t.equal(ends(), COUNT)
  await until('peers', async () =>
    (await site.query('show tables')).some(({ name }) => name === 'peer:num_flows'),
  )
  const peers = await site.query('select sum(as_client) as flows from "peer:num_flows"')
  t.ok(Number(peers[0]!['flows']) >= 3)

  const table = await site.run('flows', '--process', 'pairs')
  t.match(table.stdout, /^SRC_IP +DST_IP +SPORT +DPORT +PROTO +SRC_POD +DST_POD +SRC_NS +DST_NS +SERVICE/)
  for (const [words, message] of [
    [['--port', '0'], 'port is 0: it is a whole number from 1 to 65535'],
    [['--with', 'web'], 'with is web: it is a kind and a name, like pod/web-0'],
    [['--since', 'noon'], '--since noon is no time'],
    [['--live', '--protocol', 'sctp'], 'protocol is sctp: it can be tcp or udp'],
  ] as const) {
    const { code, stderr } = await site.run('flows', ...words)
    t.equal(code, 1)
    t.match(stderr, message)
  }

  const words = ['--follow', '--json', '--process', 'pairs', '--since', '10m', '--socket', site.socket]
  const follow = sockflux(['flows', ...words])
  t.teardown(() => follow.close())
  const followed: string[] = []
  const next = async () => {
    const line = await follow.line(/"reason":"end"/, 60_000)
    followed.push(JSON.parse(line).id)
  }
  while (followed.length < COUNT) await next()
  await (await pairs('client', '127.0.0.1', '9000', '2', '0', '4')).line(/end/)
  while (followed.length < COUNT + 2) await next()
  t.equal(new Set(followed).size, COUNT + 2, 'those there were and the new ones, once each')

  t.equal((await collector.kill()).code, 0)
  const goOn = lines().filter(({ reason }) => reason === 'active')
  t.equal(new Set(goOn.map(({ id }) => id)).size, 3, 'a collector that stops records what goes on')
})
