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
  const none = { rtt: null, rttVariance: null }
  t.same(host!.containers, [
    { id: 'a', name: 'web', pod: 'web-0', asClient: 3, asServer: 1, rtt: 2, rttVariance: 0.5 },
    { id: '(host)', name: '', pod: '', asClient: 0, asServer: 1, ...none },
    { id: 'idle', name: 'idle', pod: '', asClient: 0, asServer: 0, ...none },
  ])
  t.same(host!.processes, [
    { id: '5', name: 'nginx', pod: 'web-0', asClient: 3, asServer: 1, rtt: 2, rttVariance: 0.5 },
    { id: '6', name: 'sshd', pod: '', asClient: 0, asServer: 1, ...none },
  ])
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

t.test('two hundred rows at most', async t => {
  const top = new Top()
  const flows = Array.from({ length: 300 }, (_, pid) => ({ pid }))
  top.take(folded([...flows, { pid: 299 }]))
  const { processes, total } = top.view()[0]!
  t.equal(processes.length, 200)
  t.same(total, { containers: 3, processes: 300 }, 'and how many there are')
  t.match(processes[0], { id: '299', asClient: 2 })
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
