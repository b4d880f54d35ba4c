import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { processesIn } from '../harness/cgroup.ts'
import { link } from '../harness/delay.ts'
import { startInflux } from '../harness/influx.ts'
import { type Node, startNode } from '../harness/node.ts'
import { type Container, IDLE, type Pod } from '../harness/pod.ts'
import type { Child } from '../harness/process.ts'
import { startRecorder } from '../harness/recorder.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { type SsSocket, ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'
import { client, serve } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss', 'containerd', 'influxd')

/** Each delay has a wire, a container at both of its ends, and so many connections. */
const WIRES = [
  { rttMs: 1, connections: 5, name: 'ms1' },
  { rttMs: 5, connections: 3, name: 'ms5' },
  { rttMs: 20, connections: 2, name: 'ms20' },
  { rttMs: 100, connections: 1, name: 'ms100' },
] as const
type Name = (typeof WIRES)[number]['name']
const SLOW = 5

function runPod(node: Node, name: string): Promise<Pod<Name>> {
  return node.runPod({
    name,
    namespace: 'trade',
    containers: WIRES.map(({ name }) => ({ name, command: IDLE })),
  })
}

/** @returns a client for each wire, with its connections open */
async function connect(t: Test, node: Node, near: Pod<Name>, far: Pod<Name>): Promise<Child[]> {
  const clients: Child[] = []
  for (const [index, { rttMs, connections, name }] of WIRES.entries()) {
    const [addrA, addrB] = [`10.9.${index}.1`, `10.9.${index}.2`]
    const wire = await link({ nsA: near.netns, nsB: far.netns, addrA, addrB, rttMs })
    t.teardown(() => wire.close())
    await serve(node, far.containers[name], addrB, '80')
    const load = client(node, near.containers[name])
    t.match(await load.ask(`open ${connections} ${addrB} 80`), { opened: connections })
    clients.push(load)
  }
  return clients
}

/** What ss says once each byte is acknowledged: then nothing is on its way that could change it. */
function settled(netns: string): Promise<SsSocket[]> {
  return until('the last acknowledgement', async () => {
    const sockets = await ss({ netns })
    return sockets.every(socket => socket.bytesAcked >= socket.bytesSent) && sockets
  })
}

/** Traffic that began and stopped inside one window, and what ss said after it. */
async function traffic(clients: readonly Child[], near: Pod<Name>, far: Pod<Name>) {
  for (let attempt = 0; attempt < SLOW; attempt++) {
    const window = await earlyInWindow()
    await Promise.all(clients.map(load => load.ask('echo 3 100')))
    const sockets = { client: await settled(near.netns), server: await settled(far.netns) }
    if (windowNow() === window) return { window, sockets }
  }
  throw new Error(`no traffic fitted into one window in ${SLOW} attempts`)
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

t.test('over 1, 5, 20 and 100 ms: RTT and variance are what ss says', { skip }, async t => {
  const influx = await startInflux()
  t.teardown(() => influx.remove())
  const node = await startNode()
  t.teardown(() => node.close())
  const pods = { client: await runPod(node, 'near-0'), server: await runPod(node, 'far-0') }
  const clients = await connect(t, node, pods.client, pods.server)
  const site = await openSite()
  t.teardown(() => site.close())
  const recorder = await startRecorder()
  t.teardown(() => recorder.close())
  await site.collector(['--influx-url', influx.url])
  const collectors = [site.endpoint, recorder.endpoint]
  await site.probe(['--containerd-state', node.containerd.stateDir], collectors)
  await recorder.ended(windowNow())
  const { window, sockets } = await traffic(clients, pods.client, pods.server)
  const { window: index } = await recorder.ended(window)
  const rows = new Map(recorder.rows.filter(row => row.window === index).map(row => [row.cookie, row]))

  const sample = (measurement: string, tag: string, value: string) =>
    until(`${measurement} of ${value} in InfluxDB`, async () => {
      const where = `"${tag}" = '${value}' and time = ${window}s`
      const found = await influx.query(`select * from "${measurement}" where ${where}`, 'sockflux')
      return found[0]
    })
  /** A field of one role is the mean over these sockets; the other role's is not there. */
  const checkMeans = async (subject: string, tag: string, value: string, role: string, own: SsSocket[]) => {
    const other = role === 'client' ? 'server' : 'client'
    for (const [measurement, expected] of [
      [`${subject}:rtt`, mean(own.map(({ rttMs }) => rttMs!))],
      [`${subject}:rtt_variance`, mean(own.map(({ rttvarMs }) => rttvarMs!))],
    ] as const) {
      const found = await sample(measurement, tag, value)
      const difference = Math.abs((found[`as_${role}`] as number) - expected)
      t.ok(difference <= 1e-9, `${measurement} of ${value}: ${expected} ms as ${role}`, { difference })
      t.equal(found[`as_${other}`], null, 'and nothing where nothing was measured')
    }
  }
  for (const role of ['client', 'server'] as const) {
    const pod = pods[role]
    for (const { rttMs, connections, name } of WIRES) {
      const container: Container = pod.containers[name]
      const pids = processesIn(container.cgroup)
      const own = sockets[role].filter(socket => socket.processes.some(({ pid }) => pids.includes(pid)))
      t.equal(own.length, connections, `${connections} sockets of ${pod.name}/${name}`)
      for (const socket of own) {
        const row = rows.get(socket.cookie)!
        const told = [row.rtt_us / 1000, row.rtt_var_us / 1000, row.container]
        t.same(told, [socket.rttMs, socket.rttvarMs, container.id], 'the row says what ss says')
        t.ok(socket.rttMs! >= rttMs, `which is at least the wire's delay: ${socket.rttMs}`)
      }
      await checkMeans('container', 'container', shortId(container.id), role, own)
    }
    await checkMeans('pod', 'pod', pod.name, role, sockets[role])
  }
})
