import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import type { Folded } from '../../../collector/ingest/folded.ts'
import { Top } from '../../../collector/serve/top.ts'
import { encodeRows, type Flow, tcpFlowLayout } from '../../harness/rows.ts'
import { windowOf } from '../given.ts'

const layout = tcpFlowLayout()
const decode = decoder(layout)
const SERVER = 2

const names = {
  cgroups: { '1:1': 'a', '1:2': 'pause' },
  containers: {
    a: { runtime: 'cri', name: 'web', pod: 'u' },
    pause: { runtime: 'cri', pod: 'u', sandbox: true },
    idle: { runtime: 'docker', name: 'idle' },
  },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
  running: ['a', 'pause', 'idle'],
}

function folded(flows: readonly Flow[] = [], host = 'h', window = 1): Folded {
  const fold = new Fold(true)
  fold.add(encodeRows(layout, flows), decode, names)
  fold.end(names)
  return windowOf(fold, { key: { host, boot: 'b', probe: 'p', window }, time: window * 10 })
}

t.test('containers and processes, the busiest first, with the mean over both roles', async t => {
  const top = new Top()
  const web = { hierarchy: 1, cgroup: 1, pid: 5, comm: 'nginx', segs_sent: 1, flags: 32 }
  top.take(
    folded([
      { ...web, rtt_us: 1000, rtt_var_us: 300 },
      { ...web, rtt_us: 1000, rtt_var_us: 300 },
      { ...web, role: SERVER, rtt_us: 4000, rtt_var_us: 900 },
      { ...web, flags: 0, rtt_us: 9000 },
      { pid: 6, comm: 'sshd', role: SERVER },
    ]),
  )
  const [host] = top.view()
  const none = { rtt: null, rttVariance: null, rttP50: null, rttP95: null }
  const measured = { rtt: 2, rttVariance: 0.5 }
  t.match(host!.containers, [
    { id: 'a', name: 'web', pod: 'web-0', namespace: 'shop', asClient: 3, asServer: 1, ...measured },
    { id: '(host)', name: '(host)', pod: '', asClient: 0, asServer: 1, ...none },
    { id: 'idle', name: 'idle', pod: '', asClient: 0, asServer: 0, ...none },
  ])
  t.match(host!.pods, [{ id: 'u', name: 'web-0', namespace: 'shop', parts: 1, asClient: 3, asServer: 1 }])
  t.match(host!.namespaces, [{ id: 'shop', name: 'shop', parts: 1, asClient: 3, asServer: 1 }])
  t.match(host!.processes, [
    {
      id: '5',
      name: 'nginx',
      pod: 'web-0',
      owner: 'web',
      ownerId: 'a',
      asClient: 3,
      asServer: 1,
      ...measured,
    },
    { id: '6', name: 'sshd', pod: '', owner: '(host)', ownerId: '', asClient: 0, asServer: 1, ...none },
  ])
  t.match(host!.programs, [
    { id: '["a","nginx"]', name: 'nginx', parts: 1, asClient: 3 },
    { id: '["","sshd"]', name: 'sshd', parts: 1, asServer: 1 },
  ])
  t.match(host, { interval: 10, flows: 5, total: { containers: 3, pods: 1, processes: 2 } })
})

t.test('numbers per second, and how they went in the last minute', async t => {
  const top = new Top()
  const web = { hierarchy: 1, cgroup: 1, pid: 5, comm: 'nginx' }
  for (const window of [1, 2, 3, 4, 5, 6, 7])
    top.take(
      folded(
        [{ ...web, bytes_sent: window * 1000, bytes_rcvd: 500, segs_sent: 100, segs_resent: 3 }],
        'h',
        window,
      ),
    )
  const [row] = top.view()[0]!.containers
  t.match(row, { sentPerSecond: 700, rcvdPerSecond: 50, packetsSent: 100, retransmits: 3 })
  t.same(row!.trend, [250, 350, 450, 550, 650, 750], 'six windows of ten seconds')
  top.take(folded([], 'h', 8))
  t.equal(
    top
      .view()[0]!
      .containers.find(({ id }) => id === 'a')!
      .trend.at(-1),
    0,
  )
})

t.test('what is wrong is said in sentences; losses of the last minute, with what to do', async t => {
  const top = new Top()
  const web = { hierarchy: 1, cgroup: 1, pid: 5, comm: 'nginx' }
  const lost = { 'kernel/slot': 2, 'kernel/close_missed': 7 }
  top.take({ ...folded([{ ...web, segs_sent: 1000, segs_resent: 50 }]), lost })
  for (const window of [2, 3]) top.take(folded([{ ...web, segs_sent: 1000, segs_resent: 50 }], 'h', window))
  const [host] = top.view()
  t.match(host!.lost, lost)
  t.match(host!.troubles, [
    { text: 'web: 5 % of 1000 segments were sent again', level: 'containers', id: 'a' },
    { text: /^lost: 2 connections in the last minute \(kernel\/slot\): .*raise --max-flows$/ },
  ])
  t.equal(host!.troubles.length, 2, 'nobody has to do anything about a missed close')
  for (const window of [4, 5, 6, 7]) top.take(folded([], 'h', window))
  t.same(top.view()[0]!.lost, {})
  t.same(top.view()[0]!.troubles, [])
})

t.test('the last window of each host, of a thousand hosts at most', async t => {
  const top = new Top()
  top.take(folded([], 'h0', 1))
  top.take(folded([], 'h1', 1))
  top.take(folded([], 'h0', 2))
  t.same(
    top.view().map(({ host, time }) => `${host} ${time}`),
    ['h1 10', 'h0 20'],
  )
  for (let index = 2; index <= 1000; index++) top.take(folded([], `h${index}`))
  const hosts = top.view().map(({ host }) => host)
  t.equal(hosts.length, 1000)
  t.notOk(hosts.includes('h1'), 'the one that was silent longest is gone')
})

t.test('a thousand rows at most', async t => {
  const top = new Top()
  const flows = Array.from({ length: 1200 }, (_, pid) => ({ pid }))
  top.take(folded([...flows, { pid: 1199 }]))
  const { processes, total } = top.view()[0]!
  t.equal(processes.length, 1000)
  t.match(total, { containers: 3, processes: 1200 }, 'and how many there are')
  t.match(processes[0], { id: '1199', asClient: 2 })
})

t.test('a host that is silent for ten minutes, or three long windows, is forgotten', async t => {
  let now = 0
  const top = new Top(undefined, () => now)
  top.take(folded([], 'short'))
  top.take({ ...folded([], 'long'), interval: 300 })
  const after = (ms: number) => {
    now = ms
    top.expire()
    return top.view().map(({ host }) => host)
  }
  t.same(after(600_000), ['short', 'long'])
  t.same(after(600_001), ['long'])
  t.same(after(900_001), [])
})

t.test('processes are counted for half a minute after each request', async t => {
  let now = 0
  const top = new Top(undefined, () => now)
  t.notOk(top.isWatched())
  top.view()
  t.ok(top.isWatched())
  now = 29_999
  t.ok(top.isWatched())
  now = 30_000
  t.notOk(top.isWatched())
})
