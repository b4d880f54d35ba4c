import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { shortId } from '../../../collector/fold/names.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import type { Folded } from '../../../collector/ingest/folded.ts'
import type { Sampler } from '../../../collector/sample/sampler.ts'
import type { ContainerName, PodName, WindowNames } from '../../../wire/message.ts'
import { encodeRows, type Flow, tcpFlowLayout } from '../../harness/rows.ts'
import { linesOf, pointsOf } from '../../harness/samples.ts'
import { samplerOf, windowOf } from '../given.ts'

const layout = tcpFlowLayout()
const decode = decoder(layout)
const CLIENT = 1
const SERVER = 2
/** 2026-01-02T03:04:00Z */
const TIME = 1_767_323_040
const ID = '0123456789ab'.padEnd(64, 'c')

function folded(flows: readonly Flow[], names: WindowNames, window = 1): Folded {
  const fold = new Fold()
  fold.add(encodeRows(layout, flows), decode, names)
  fold.end(names)
  const key = { host: 'node 1', boot: 'b', probe: 'p', window }
  return windowOf(fold, { key, time: TIME })
}

const flow = (cgroup: number, role: number, rtt_us = 0, rtt_var_us = 0): Flow => ({
  hierarchy: 1,
  cgroup,
  role,
  rtt_us,
  rtt_var_us,
  segs_sent: rtt_us && 1,
  flags: rtt_us && 32, // measured
})

/** A pod with its sandbox, a container outside pods that is idle, and a flow of the host. */
const node = (): Folded =>
  folded(
    [
      flow(1, CLIENT, 1000, 500),
      flow(1, CLIENT, 2000, 250),
      flow(1, CLIENT),
      flow(2, SERVER, 4000, 1000),
      flow(9, SERVER, 100, 50),
    ],
    {
      cgroups: { '1:1': ID, '1:2': 'pause' },
      containers: {
        [ID]: { runtime: 'cri', name: 'web', pod: 'u', labels: { team: 'a,b' } },
        pause: { runtime: 'cri', pod: 'u', sandbox: true },
        'k8s/idle': { runtime: 'ctr' },
      },
      pods: { u: { name: 'web-0', namespace: 'shop' } },
      running: [ID, 'pause', 'k8s/idle'],
    },
  )

// Both checked by hand against docs/reading_the_numbers.md, once: the means are (1 + 2) / 2 ms and (0.5 + 0.25) / 2 ms without the
// silent flow, the sandbox's flow is its pod's, what was not measured has no field.
const CONTAINER = `container=0123456789ab,container_name=web,host=node\\ 1,ifid=0,label_team=a\\,b,namespace=shop,pod=web-0`
const POD = 'host=node\\ 1,ifid=0,namespace=shop,pod=web-0'
const TCP = 'closed=0,failed=0,retransmits=0,lost_segments=0,resets_sent=0,resets_rcvd=0'
const ONE = (ms: number) => `min=${ms},mean=${ms},stddev=0,p50=${ms},p95=${ms},p99=${ms},max=${ms}`
/** The median of two is the first, 1000 us, in a bucket from 992 to 1024. */
const TWO = 'min=1,mean=1.5,stddev=0.5,p50=1.008,p95=2,p99=2,max=2'
const SOCKFLUX = `
container:num_flows,${CONTAINER} as_client=3,as_server=0 ${TIME}
container:num_flows,container=k8s/idle,host=node\\ 1,ifid=0 as_client=0,as_server=0 ${TIME}
container:rtt,${CONTAINER} as_client=1.5 ${TIME}
container:rtt_dist,${CONTAINER},role=client samples=2,${TWO},smoothed_flows=2 ${TIME}
container:rtt_variance,${CONTAINER} as_client=0.375 ${TIME}
container:tcp,${CONTAINER},role=client opened=3,${TCP} ${TIME}
container:traffic,${CONTAINER} bytes_sent=0,bytes_rcvd=0,packets_sent=2,packets_rcvd=0,udp_dropped=0 ${TIME}
container:traffic,container=k8s/idle,host=node\\ 1,ifid=0 bytes_sent=0,bytes_rcvd=0,packets_sent=0,packets_rcvd=0,udp_dropped=0 ${TIME}
host:num_flows,host=node\\ 1,ifid=0 as_client=0,as_server=1 ${TIME}
host:rtt,host=node\\ 1,ifid=0 as_server=0.1 ${TIME}
host:rtt_dist,host=node\\ 1,ifid=0,role=server samples=1,${ONE(0.1)},smoothed_flows=1 ${TIME}
host:rtt_variance,host=node\\ 1,ifid=0 as_server=0.05 ${TIME}
host:tcp,host=node\\ 1,ifid=0,role=server opened=1,${TCP} ${TIME}
host:traffic,host=node\\ 1,ifid=0 bytes_sent=0,bytes_rcvd=0,packets_sent=1,packets_rcvd=0,udp_dropped=0 ${TIME}
pod:num_containers,${POD} num_containers=1 ${TIME}
pod:num_flows,${POD} as_client=3,as_server=1 ${TIME}
pod:rtt,${POD} as_client=1.5,as_server=4 ${TIME}
pod:rtt_dist,${POD},role=client samples=2,${TWO},smoothed_flows=2 ${TIME}
pod:rtt_dist,${POD},role=server samples=1,${ONE(4)},smoothed_flows=1 ${TIME}
pod:rtt_variance,${POD} as_client=0.375,as_server=1 ${TIME}
pod:tcp,${POD},role=client opened=3,${TCP} ${TIME}
pod:tcp,${POD},role=server opened=1,${TCP} ${TIME}
pod:traffic,${POD} bytes_sent=0,bytes_rcvd=0,packets_sent=3,packets_rcvd=0,udp_dropped=0 ${TIME}
probe:coverage,host=node\\ 1,ifid=0 windows=100,rows=100 ${TIME}
`
const NTOPNG = `
container:num_flows,container=0123456789ab,ifid=0 as_client=3,as_server=0 ${TIME}
container:num_flows,container=k8s/idle,ifid=0 as_client=0,as_server=0 ${TIME}
container:rtt,container=0123456789ab,ifid=0 as_client=1.5 ${TIME}
container:rtt_variance,container=0123456789ab,ifid=0 as_client=0.375 ${TIME}
pod:num_containers,ifid=0,pod=web-0 num_containers=1 ${TIME}
pod:num_flows,ifid=0,pod=web-0 as_client=3,as_server=1 ${TIME}
pod:rtt,ifid=0,pod=web-0 as_client=1.5,as_server=4 ${TIME}
pod:rtt_variance,ifid=0,pod=web-0 as_client=0.375,as_server=1 ${TIME}
`

t.test('the lines of a window', async t => {
  const lines = (profile: 'sockflux' | 'ntopng') => linesOf(samplerOf(profile).sample(node(), '0')).toSorted()
  t.same(lines('sockflux'), SOCKFLUX.trim().split('\n'))
  t.same(lines('ntopng'), NTOPNG.trim().split('\n'))
})

t.test('ntopng: exactly its seven measurements, each with ifid and one tag', async t => {
  const samples = pointsOf(samplerOf('ntopng').sample(node(), '3'))
  t.same([...new Set(samples.map(({ measurement }) => measurement.name))].sort(), [
    'container:num_flows',
    'container:rtt',
    'container:rtt_variance',
    'pod:num_containers',
    'pod:num_flows',
    'pod:rtt',
    'pod:rtt_variance',
  ])
  for (const { measurement, tags } of samples)
    t.same(Object.keys(tags).sort(), [measurement.name.split(':')[0]!, 'ifid'].sort())
  t.ok(samples.every(({ tags }) => tags['ifid'] === '3'))
})

t.test('two pods of one name stay two; only ntopng merges them, weighted by their flows', async t => {
  const containers = { a: { runtime: 'cri', pod: 'u1' }, b: { runtime: 'cri', pod: 'u2' } }
  const pods = { u1: { name: 'db-0', namespace: 'shop' }, u2: { name: 'db-0', namespace: 'test' } }
  const flows = [flow(1, CLIENT, 1000), flow(1, CLIENT, 1000), flow(1, CLIENT, 1000), flow(2, CLIENT, 5000)]
  const names = { cgroups: { '1:1': 'a', '1:2': 'b' }, containers, pods, running: ['a', 'b'] }
  const podsOf = (sampler: Sampler, name: string) =>
    pointsOf(sampler.sample(folded(flows, names), '0'))
      .filter(({ measurement }) => measurement.name === name)
      .map(({ tags, values }) => [tags['namespace'], values[0]])
  const ntopng = samplerOf('ntopng')
  t.same(podsOf(ntopng, 'pod:rtt'), [[undefined, 2]], '(3 * 1 ms + 5 ms) / 4')
  t.equal(ntopng.mergedPods, 1)
  t.same(podsOf(ntopng, 'pod:num_flows'), [[undefined, 4]])
  t.same(podsOf(ntopng, 'pod:num_containers'), [[undefined, 2]])
  const own = samplerOf('sockflux')
  t.same(podsOf(own, 'pod:rtt'), [
    ['shop', 1],
    ['test', 5],
  ])
  t.equal(own.mergedPods, 0)
})

t.test(
  'ntopng: pods of one name on two hosts of one interface are counted, for they are one sample',
  async t => {
    const containers = { a: { runtime: 'cri', pod: 'u1' } }
    const pods = { u1: { name: 'db-0', namespace: 'shop' } }
    const names = { cgroups: { '1:1': 'a' }, containers, pods, running: ['a'] }
    const sampler = samplerOf('ntopng')
    const sample = (host: string, time: number, ifid = '0') => {
      const key = { host, boot: 'b', probe: host, window: 1 }
      sampler.sample({ ...folded([flow(1, CLIENT)], names), key, time }, ifid)
      return sampler.podHosts.shared
    }
    t.equal(sample('one', 10), 0)
    t.equal(sample('two', 20), 0, 'it has moved')
    t.equal(sample('one', 20, '1'), 0, 'each host has its interface')
    t.equal(sample('one', 20), 1)
  },
)

t.test('tags stay the same for one name, interface and host', async t => {
  const sampler = samplerOf('sockflux')
  const tagsOf = (name: ContainerName, pods: Record<string, PodName> = {}, ifid = '0', id = 'a') => {
    const names = { cgroups: {}, containers: { [id]: name }, pods, running: [id] }
    const samples = pointsOf(sampler.sample(folded([], names), ifid))
    return samples.find(({ measurement }) => measurement.name === 'container:num_flows')!.tags
  }
  const first = tagsOf({ runtime: 'cri', name: 'web', pod: 'u' })
  t.same(first, { ifid: '0', container: 'a', host: 'node 1', container_name: 'web' })
  t.equal(tagsOf({ runtime: 'cri', name: 'web', pod: 'u', labels: { x: 'y' } }), first, 'labels are no name')
  t.equal(tagsOf({ runtime: 'cri', pod: 'u' }), first, 'a name that is missing is no other one')
  const pods = { u: { name: 'web-0', namespace: 'shop' } }
  const second = tagsOf({ runtime: 'cri', name: 'web', pod: 'u' }, pods)
  t.match(second, { container_name: 'web', pod: 'web-0', namespace: 'shop' }, 'a pod whose name comes late')
  t.equal(tagsOf({ runtime: 'cri', name: 'web', pod: 'u' }), second)
  t.match(tagsOf({ runtime: 'cri', name: 'shop', pod: 'u' }, pods), { container_name: 'shop', pod: 'web-0' })
  const renamed = { u: { name: 'web-1', namespace: 'shop' } }
  t.match(tagsOf({ runtime: 'cri', name: 'shop', pod: 'u' }, renamed), { pod: 'web-1' })
  t.match(tagsOf({ runtime: 'cri', name: 'other', pod: 'u' }, pods, '1'), { container_name: 'other' })
  t.match(tagsOf({ runtime: 'lxc', name: 'h' }, {}, '0', 'host'), { container: 'host' })
  const samples = pointsOf(sampler.sample(node(), '0'))
  const host = samples.find(({ measurement }) => measurement.name === 'host:num_flows')!
  t.same(host.tags, { ifid: '0', host: 'node 1' }, 'whatever a container is called')
})

t.test("a pod has series of its own under each name, and in ntopng's profile as well", async t => {
  for (const profile of ['sockflux', 'ntopng'] as const) {
    const sampler = samplerOf(profile)
    const podsOf = (name: string) => {
      const pods = { u: { name, namespace: 'shop' } }
      const names = { cgroups: {}, containers: { a: { runtime: 'cri', pod: 'u' } }, pods, running: ['a'] }
      const samples = pointsOf(sampler.sample(folded([], names), '0'))
      return samples.filter(({ measurement }) => measurement.name === 'pod:num_flows')
    }
    t.same(
      ['web-0', 'web-0', 'web-1', 'web-0'].flatMap(name => podsOf(name).map(({ tags }) => tags['pod'])),
      ['web-0', 'web-0', 'web-1', 'web-0'],
      profile,
    )
  }
})

t.test('the late part of a window is marked in its identity, and has its time', async t => {
  const sampler = samplerOf('sockflux', { metrics: ['flows'] })
  const names = (name: ContainerName) => ({
    cgroups: { '1:1': 'a' },
    containers: { a: name },
    pods: {},
    running: ['a'],
  })
  const window = folded([flow(1, CLIENT)], names({ runtime: 'docker', pending: true }))
  const first = sampler.sample(window, '0')
  const late = sampler.sampleLate(window, '0', folded([], names({ runtime: 'docker', name: 'web' }), 2).fold)
  t.same(first.id, window.key)
  t.same(late.id, { ...window.key, part: 'late' })
  t.equal(late.time, first.time)
  t.same(
    pointsOf(late).map(({ tags, values }) => [tags['container_name'], ...values]),
    [['web', 1, 0]],
  )
})

t.test('an id of 64 hexadecimal digits is cut to twelve, any other id stays', async t => {
  t.equal(shortId(ID), '0123456789ab')
  t.equal(shortId('k8s.io/web'), 'k8s.io/web')
  t.equal(shortId(ID.slice(1)), ID.slice(1))
  t.equal(shortId(ID.toUpperCase()), ID.toUpperCase())
})
