import t from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { startNode } from '../harness/node.ts'
import { IDLE } from '../harness/pod.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow } from '../harness/windows.ts'
import { client, connected, serve } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'gcc', 'ss', 'containerd')

t.test('the store answers query and top while the collector runs', { skip }, async t => {
  const node = await startNode()
  t.teardown(() => node.close())
  const pod = await node.runPod({
    name: 'shop-0',
    namespace: 'trade',
    containers: [
      { name: 'main', command: IDLE },
      { name: 'idle', command: IDLE },
    ],
  })
  const { main, idle } = pod.containers
  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector()
  await site.probe(['--containerd-state', node.containerd.stateDir, '--host', 'node-1'])
  await serve(node, main, '127.0.0.1', '80')
  const load = client(node, main)
  t.match(await load.ask('open 3 127.0.0.1 80'), { opened: 3 })
  await connected(pod.netns, 6)
  const window = await earlyInWindow()
  await load.ask('echo 2 100')
  const where = `from "container:num_flows" where container in ('${shortId(main.id)}', '${shortId(idle.id)}')
    and epoch(time) = ${window} order by as_client desc`
  await until('the window', async () => (await site.query(`select * ${where}`).catch(() => [])).length === 2)

  const workload = { owner_kind: null, owner_name: null, node: null }
  const tags = { host: 'node-1', ifid: '0', namespace: 'trade', pod: 'shop-0', ...workload }
  const time = new Date(window * 1000).toISOString().replace('.000', '')
  const rows = [
    { time, container: shortId(main.id), container_name: 'main', ...tags, as_client: 3, as_server: 3 },
    { time, container: shortId(idle.id), container_name: 'idle', ...tags, as_client: 0, as_server: 0 },
  ]
  const json = await site.run('query', '--json', `select * ${where}`)
  t.same(JSON.parse(json.stdout), rows)
  const some = `select container_name, as_client, as_server ${where}`
  t.equal(
    (await site.run('query', '--csv', some)).stdout,
    'container_name,as_client,as_server\r\nmain,3,3\r\nidle,0,0\r\n',
  )
  t.equal(
    (await site.run('query', some)).stdout,
    [
      'container_name  as_client  as_server',
      '--------------  ---------  ---------',
      'main                    3          3',
      'idle                    0          0',
      '',
    ].join('\n'),
  )
  const [rtt] = await site.query(
    `select as_client, as_server from "container:rtt" where container = '${shortId(main.id)}' and epoch(time) = ${window}`,
  )
  t.ok(
    Number(rtt!['as_client']) > 0 && Number(rtt!['as_server']) > 0,
    'there was traffic, so there is an RTT',
  )
  const tables = (await site.query('show tables')).map(({ name }) => name)
  t.ok(['container:num_flows', 'pod:num_containers', 'host:rtt'].every(name => tables.includes(name)))

  await site.run('top', '--json') // from now on somebody watches processes
  await earlyInWindow()
  const row = { name: 'main', pod: 'shop-0', namespace: 'trade', asClient: 3, asServer: 3 }
  const host = await until('processes in top', async () => {
    const { hosts } = JSON.parse((await site.run('top', '--json')).stdout)
    // others may talk on this machine, too
    const shown = hosts[0]?.processes.filter(({ pod }: { pod: string }) => pod === 'shop-0')
    return shown?.length === 2 && hosts[0]
  })
  t.match(host, { host: 'node-1', partial: false })
  t.match(
    host.containers.find(({ id }: { id: string }) => id === shortId(main.id)),
    row,
  )
  t.match(
    host.processes.filter(({ pod }: { pod: string }) => pod === 'shop-0'),
    [{ name: 'load' }, { name: 'load' }],
    'the server and the client, by name',
  )
  t.match(await load.ask('open 500 127.0.0.1 80'), { opened: 500 })
  await until('the busiest in top', async () => {
    const [top] = JSON.parse((await site.run('top', '--json')).stdout).hosts
    const own = top.containers.find(({ id }: { id: string }) => id === shortId(main.id))
    const shown = top.processes.filter(({ pod }: { pod: string }) => pod === 'shop-0')
    return own.asServer === 503 && shown.length === 2
  })
  const once = await site.run('top', '--once')
  t.match(once.stdout, /^host node-1 {2}window until \S+Z {2}window 1s /m)
  t.match(once.stdout, /^main +shop-0 +trade +.* 503 +503 /m)
  t.match(once.stdout, /^load +main +\S.* 2 +1006\b/m, 'by program')
  const processes = await site.run('top', '--once', '--view', 'processes', '--filter', 'shop-0')
  t.match(processes.stdout, /^ *\d+ +load +main +shop-0 +.* (503 +0|0 +503) /m)
})
