import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import { linesOf } from '../../../collector/page/history.ts'
import { COLUMNS, type PageLevel, pageWindow } from '../../../collector/page/rows.ts'
import { encodeRows, type Flow, tcpFlowLayout } from '../../harness/rows.ts'
import { windowOf } from '../given.ts'

const layout = tcpFlowLayout()
const SERVER = 2
const names = {
  cgroups: { '1:1': 'a', '1:2': 'pause' },
  containers: {
    a: { runtime: 'cri', name: 'web', pod: 'u' },
    pause: { runtime: 'cri', pod: 'u', sandbox: true },
  },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
  running: ['a', 'pause'],
}
const web = { hierarchy: 1, cgroup: 1, comm: 'nginx', bytes_sent: 100, bytes_rcvd: 10, segs_sent: 3 }
const flows: Flow[] = [
  { ...web, pid: 5 },
  { ...web, pid: 6, role: SERVER },
  { pid: 7, comm: 'sshd', role: SERVER, bytes_sent: 1, segs_sent: 1 },
]

function shown(most = 2000) {
  const fold = new Fold(true)
  fold.add(encodeRows(layout, flows), decoder(layout), names)
  fold.end(names)
  return pageWindow(windowOf(fold), most)
}
const rowsOf = (level: PageLevel) =>
  shown().levels[level].rows.map(row => Object.fromEntries(COLUMNS.map((name, at) => [name, row[at]])))

t.test('a row for each container, pod, process name and host', async t => {
  t.match(rowsOf('container'), [
    { id: '', name: '(host)', 'flows.client': 0, 'flows.server': 1, sent: 1 },
    {
      ...{ id: 'a', name: 'web', pod: 'web-0', namespace: 'shop', members: 1 },
      'flows.client': 1,
      sent: 200,
      rcvd: 20,
    },
  ])
  t.match(rowsOf('pod'), [{ id: 'shop/web-0', name: 'web-0', namespace: 'shop', members: 1, sent: 200 }])
  t.match(rowsOf('process'), [
    {
      id: 'a/nginx',
      name: 'nginx',
      container: 'a',
      pod: 'web-0',
      members: 2,
      'flows.client': 1,
      'flows.server': 1,
    },
    { id: '/sshd', name: 'sshd', container: '', members: 1 },
  ])
  t.match(rowsOf('host'), [
    { id: 'h', members: 1, 'flows.client': 1, 'flows.server': 2, sent: 201, packets: 7 },
  ])
  t.equal(rowsOf('container')[0]!['p50.client'], null, 'what was not measured is no number')
})

t.test('of more rows than there is room for, the busiest are shown and all are counted', async t => {
  const { process, container } = shown(1).levels
  t.match(process, { total: 2, rows: [{ 0: 'a/nginx' }] })
  t.match(container, { total: 2, rows: [{ 0: 'a' }] })
  t.equal(process.rows.length, 1)
})

const asked = (text: string) => linesOf(new URLSearchParams(text))
const from = (text: string) => [...new Set(asked(text).map(({ measurement }) => measurement.split(':')[0]))]

t.test('charts are of what is stored of the filters', async t => {
  t.same(from('level=host&host=h'), ['container', 'host'], 'a host has its containers in it')
  t.same(from('level=container'), ['container', 'host'])
  t.same(from('level=container&pod=p'), ['container'])
  t.same(from('level=container&container=(host)'), ['host'])
  t.same(from('level=pod&container=c'), ['container'], 'pods have no tag of a container')
  t.same(from('level=pod&container=(host)'), [], 'what is in no container is in no pod')
  t.same(from('level=host&process=nginx'), ['process'])
  t.same(from('level=process&process=nginx'), ['process'])
  const client = asked('level=container&container=c&role=client')
  t.match(
    client.find(({ name }) => name === 'p95'),
    { only: { container: 'c', role: 'client' } },
  )
  t.match(
    client.filter(({ name }) => name === 'flows'),
    [{ field: 'as_client', only: { container: 'c' } }],
  )
})
