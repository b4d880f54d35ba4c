/** What the sampler keeps from window to window: counters, and how many series there may be. */

import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import type { Folded } from '../../../collector/ingest/folded.ts'
import type { Sampler } from '../../../collector/sample/sampler.ts'
import { encodeRows } from '../../../wire/columns.ts'
import { hostLayout } from '../../../wire/host_records.ts'
import type { WindowNames } from '../../../wire/message.ts'
import type { Flow } from '../../harness/rows.ts'
import { linesOf, pointsOf } from '../../harness/samples.ts'
import { addRows, layoutOfRecord, samplerOf, windowOf } from '../given.ts'

const layout = layoutOfRecord('tcp_flow')
const CLIENT = 1
const SERVER = 2

/** Containers `0`, `1`, ... in cgroups 0, 1, ... of hierarchy 1. */
const whoOf = (containers: number): WindowNames => {
  const ids = Array.from({ length: containers }, (_, index) => String(index))
  return {
    cgroups: Object.fromEntries(ids.map(id => [`1:${id}`, id])),
    containers: Object.fromEntries(ids.map(id => [id, { runtime: 'docker' }])),
    pods: {},
    running: ids,
  }
}

function windowWith(
  flows: readonly Flow[],
  more: Partial<Folded> = {},
  containers = 1,
  withProcesses = false,
) {
  const fold = new Fold(withProcesses)
  addRows(
    fold,
    layout,
    flows.map(flow => ({ hierarchy: 1, ...flow })),
    whoOf(containers),
  )
  fold.end(whoOf(containers))
  return windowOf(fold, more)
}

/** `subject role field=value ...` of one measurement. */
function said(sampler: Sampler, window: Folded, name: string, tag = 'container'): string[] {
  return pointsOf(sampler.sample(window, '0'))
    .filter(({ measurement }) => measurement.name === name)
    .map(({ measurement, tags, values }) => {
      const fields = measurement.fields.flatMap((field, index) =>
        values[index] === undefined ? [] : [`${field}=${values[index]}`],
      )
      return [tags[tag] ?? '', tags['role'] ?? [], ...fields].flat().join(' ')
    })
}

const sent = (bytes: number, cgroup = 0): Flow => ({ cgroup, role: CLIENT, segs_sent: 1, bytes_sent: bytes })

t.test('counters rise by what each window adds, gauges are of the window', async t => {
  const sampler = samplerOf('sockflux')
  const traffic = (window: Folded) => said(sampler, window, 'container:traffic')
  t.same(traffic(windowWith([sent(1000)])), [
    '0 bytes_sent=1000 bytes_rcvd=0 packets_sent=1 packets_rcvd=0 udp_dropped=0',
  ])
  t.same(traffic(windowWith([sent(500), sent(20)])), [
    '0 bytes_sent=1520 bytes_rcvd=0 packets_sent=3 packets_rcvd=0 udp_dropped=0',
  ])
  t.same(traffic(windowWith([])), [
    '0 bytes_sent=1520 bytes_rcvd=0 packets_sent=3 packets_rcvd=0 udp_dropped=0',
  ])
  t.same(said(sampler, windowWith([sent(1)]), 'container:num_flows'), ['0 as_client=1 as_server=0'])
})

t.test('a role has its counters from its first flow on', async t => {
  const sampler = samplerOf('sockflux')
  const rest = 'failed=0 retransmits=0 lost_segments=0 resets_sent=0 resets_rcvd=0'
  const tcp = (flows: Flow[]) => said(sampler, windowWith(flows), 'container:tcp')
  t.same(tcp([]), [])
  t.same(tcp([{ role: SERVER }]), [`0 server opened=1 closed=0 ${rest}`])
  t.same(tcp([{ closed_ns: 1, role: CLIENT }]), [
    `0 client opened=1 closed=1 ${rest}`,
    `0 server opened=1 closed=0 ${rest}`,
  ])
})

t.test('connect is of clients alone, in milliseconds', async t => {
  const flow = { role: CLIENT, opened_ns: 1e9, established_ns: 1e9 + 4e6 }
  const window = windowWith([flow, { ...flow, role: SERVER }])
  t.same(said(samplerOf('sockflux'), window, 'container:connect'), ['0 mean=4 p95=4 max=4'])
  t.same(said(samplerOf('sockflux'), windowWith([{ role: CLIENT }]), 'container:connect'), [])
})

t.test('a subject that comes again after a long silence begins at 0', async t => {
  let now = 0
  const sampler = samplerOf('sockflux', {}, () => now)
  const bytes = () => said(sampler, windowWith([sent(5)]), 'container:traffic')[0]!.split(' ')[1]
  t.equal(bytes(), 'bytes_sent=5')
  now = 299_999
  sampler.expire()
  t.equal(bytes(), 'bytes_sent=10')
  now += 300_000
  sampler.expire()
  t.equal(bytes(), 'bytes_sent=5')
})

t.test('the overflow is one subject of its host, and counted', async t => {
  const sampler = samplerOf('sockflux', { maxSeries: 2, metrics: ['flows', 'traffic'] })
  const flows = [sent(1, 0), sent(2, 1), sent(4, 2), sent(8, 3)]
  const window = () => windowWith(flows, {}, 4)
  t.same(said(sampler, window(), 'container:num_flows'), [
    '0 as_client=1 as_server=0',
    '1 as_client=1 as_server=0',
    '~other as_client=2 as_server=0',
  ])
  t.equal(sampler.beyond, 4, 'two samples of each of two measurements')
  t.same(said(sampler, window(), 'container:traffic').at(-1)!.split(' ').slice(0, 2), [
    '~other',
    'bytes_sent=24',
  ])
  const samples = pointsOf(sampler.sample(window(), '0'))
  t.same(samples.find(({ tags }) => tags['container'] === '~other')!.tags, {
    ifid: '0',
    container: '~other',
    host: 'h',
  })
  t.same(
    sampler.series().find(({ measurement }) => measurement === 'container:num_flows'),
    { measurement: 'container:num_flows', series: 3 },
  )
})

t.test('a host and the programs always have a series', async t => {
  const sampler = samplerOf('sockflux', { maxSeries: 2 })
  const layout = hostLayout('host_cpu')
  const hosts = ['a', 'b', 'c'].map(host => {
    const window = windowWith([{ cgroup: 9, role: CLIENT }], {}, 0)
    window.fold.add(encodeRows(layout, [{ cores: 2 } as never]), decoder(layout), whoOf(0))
    return { ...window, key: { ...window.key, host } }
  })
  for (const name of ['host:num_flows', 'host:tcp', 'host:cpu'])
    t.same(
      hosts.map(window => said(sampler, window, name, 'host').map(line => line.split(' ')[0])),
      [['a'], ['b'], ['c']],
      name,
    )
  t.equal(sampler.beyond, 0)
})

t.test('each role has a series of its own, or overflows alone', async t => {
  const sampler = samplerOf('sockflux', { maxSeries: 3 })
  const flows = [0, 1].flatMap(cgroup => [CLIENT, SERVER].map(role => ({ cgroup, role })))
  const opened = said(sampler, windowWith(flows, {}, 2), 'container:tcp')
  t.same(
    opened.map(line => line.split(' ').slice(0, 3).join(' ')),
    ['0 client opened=1', '0 server opened=1', '1 client opened=1', '~other server opened=1'],
  )
})

t.test('ntopng has no tag host: the overflow is counted and not written', async t => {
  const sampler = samplerOf('ntopng', { maxSeries: 10 })
  const lines = linesOf(sampler.sample(windowWith([], {}, 12), '0'))
  t.equal(lines.length, 10)
  t.equal(sampler.beyond, 2)
})

t.test(
  'processes of one name in one container are one; those beyond the busiest are one together',
  async t => {
    const sampler = samplerOf('sockflux', { maxProcesses: 2 })
    const process = (pid: number, comm: string, cgroup = 9): Flow => ({ pid, comm, cgroup, role: CLIENT })
    const flows = [process(1, 'nginx', 0), process(2, 'nginx', 0), process(3, 'nginx'), process(3, 'nginx')]
    const few = [process(4, 'a'), process(5, 'b')]
    const window = () => windowWith([...flows, ...few], {}, 1, true)
    t.same(said(sampler, window(), 'process:num_flows', 'process'), [
      'nginx as_client=2 as_server=0',
      'nginx as_client=2 as_server=0',
      '~other as_client=2 as_server=0',
    ])
    const tags = pointsOf(sampler.sample(window(), '0'))
      .filter(({ measurement }) => measurement.name === 'process:traffic')
      .map(({ tags }) => tags)
    t.same(tags, [
      { ifid: '0', process: 'nginx', container: '0', host: 'h' },
      { ifid: '0', process: 'nginx', host: 'h' },
      { ifid: '0', process: '~other', host: 'h' },
    ])
    t.same(said(samplerOf('sockflux', { metrics: ['flows'] }), window(), 'process:num_flows'), [])
    const bounded = samplerOf('sockflux', { maxProcesses: 2, maxSeries: 1 })
    t.same(
      said(bounded, window(), 'process:num_flows', 'process'),
      ['nginx as_client=2 as_server=0', '~other as_client=4 as_server=0'],
      'with those that found no place',
    )
  },
)

t.test('a process is called as its probe calls it, and what is in none is (kernel)', async t => {
  const fold = new Fold(true)
  const process = (pid: number, comm: string): Flow => ({ hierarchy: 1, cgroup: 9, pid, comm, role: CLIENT })
  const flows = [1, 2, 3].map(pid => process(pid, 'MainThread'))
  const rows = [
    ...flows,
    process(4, 'kworker/0:1'),
    process(0, 'swapper/0'),
    process(0, ''),
    process(5, 'sshd'),
  ]
  addRows(fold, layout, rows, whoOf(0))
  const about = { started_ns: '1', comm: '', exe: '', parent: 1, parent_comm: '', uid: 0 }
  const names = { 1: 'shop.js', 2: 'worker.js', 3: 'shop.js', 4: '(kernel)' }
  const named = Object.entries(names).map(([pid, name]) => [pid, { ...about, name }] as const)
  fold.end({ ...whoOf(0), processes: { ...Object.fromEntries(named), 5: about } })
  t.same(said(samplerOf('sockflux'), windowOf(fold), 'process:num_flows', 'process').toSorted(), [
    '(kernel) as_client=3 as_server=0',
    'shop.js as_client=2 as_server=0',
    'sshd as_client=1 as_server=0',
    'worker.js as_client=1 as_server=0',
  ])
})

t.test("interfaces, the host's and the probe's figures, and what the probe lost", async t => {
  const sampler = samplerOf('sockflux')
  const window = () => {
    const fold = new Fold()
    const add = (name: 'iface' | 'host_cpu' | 'probe_stats', row: object) => {
      const layout = hostLayout(name)
      fold.add(encodeRows(layout, [row as never]), decoder(layout), whoOf(0))
    }
    add('iface', { ifname: 'eth0', rx_bytes: 10, tx_packets: 1 })
    add('host_cpu', { load: 1250, cores: 2, load1: 150 })
    add('probe_stats', { user_us: 500_000, rss_bytes: 7 })
    return windowOf(fold, { lost: { 'kernel/slot': 2, 'queue/full': 1 } })
  }
  sampler.sample(window(), '0')
  const lines = linesOf(sampler.sample(window(), '0'))
  t.same(
    lines.filter(line => !line.startsWith('host:') || line.startsWith('host:cpu')),
    [
      'iface:traffic,host=h,ifid=0,ifname=eth0 bytes_sent=0,bytes_rcvd=20,packets_sent=2,packets_rcvd=0,errors_sent=0,errors_rcvd=0,dropped_sent=0,dropped_rcvd=0 1010',
      'host:cpu,host=h,ifid=0 load=12.5,user=0,system=0,steal=0,load1=1.5,cores=2 1010',
      'probe:stats,host=h,ifid=0 rows=0,messages=0,cpu_user=1,cpu_system=0,memory=7,queue=0,queue_messages=0,guessed_flows=0,host_failures=0,queue_windows=0,queue_rows=0,stored_windows=0,stored_rows=0,other_netns_rows=0,spool=0,spool_windows=0,spool_age=0 1010',
      'probe:coverage,host=h,ifid=0 windows=100,rows=100 1010',
      'probe:lost,host=h,ifid=0,reason=slot,stage=kernel count=4 1010',
      'probe:lost,host=h,ifid=0,reason=full,stage=queue count=2 1010',
    ],
  )
})

t.test('interfaces beyond the ceiling are one', async t => {
  const sampler = samplerOf('sockflux', { maxSeries: 1 })
  const fold = new Fold()
  const layout = hostLayout('iface')
  const rows = ['a', 'b', 'c'].map(ifname => ({ ifname, rx_bytes: 5 }))
  fold.add(encodeRows(layout, rows as never), decoder(layout), whoOf(0))
  const found = said(sampler, windowOf(fold), 'iface:traffic', 'ifname').map(line => line.split(' '))
  t.same(
    found.map(([name, , rcvd]) => [name, rcvd]),
    [
      ['a', 'bytes_rcvd=5'],
      ['~other', 'bytes_rcvd=10'],
    ],
  )
})
