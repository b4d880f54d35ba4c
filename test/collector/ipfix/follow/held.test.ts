import t from 'tap'
import { HeldRecords } from '../../../../collector/ipfix/follow/held.ts'
import { node, pod } from '../../../harness/kubernetes/objects.ts'
import { only } from '../../../harness/only.ts'
import { held } from '../../flows/given.ts'
import { RECORD, SERVER, Told } from '../given.ts'

const [A, B] = ['node-a', 'node-b']
const one = { record: RECORD, isClients: true, until: 100, awaited: 1, known: 10 }
const { fromDestination: _, ...OF_CLIENT } = RECORD

t.test('a record never goes without being given back', async t => {
  const records = new HeldRecords(2)
  const [a, b, c, d] = [1, 2, 3, 4].map(start => ({ ...RECORD, start }))
  t.same(records.hold('x', { ...one, record: a! }), [])
  t.same(records.hold('y', { ...one, record: b! }), [])
  only(t, records.hold('x', { ...one, record: c! }), [{ start: 1 }], 'the one that it replaces')
  only(t, records.hold('z', { ...one, record: d! }), [{ start: 2 }], 'the oldest')
  only(t, records.over(100), [{ start: 3 }, { start: 4 }])
  t.equal(records.size, 0)
})

t.test('what is settled is complete; what waits for a probe that is gone is not', async t => {
  const records = new HeldRecords()
  const record = { ...RECORD, isIncomplete: true }
  for (const awaited of [1, 2, 3]) records.hold(String(awaited), { ...one, record, awaited })
  const times = [0, 10, 20, Number.POSITIVE_INFINITY]
  only(
    t,
    records.settled(awaited => times[awaited]!),
    [{ isIncomplete: false }],
  )
  only(t, records.over(100), [{ isIncomplete: true }, { isIncomplete: true }])
})

t.test('a joined record is of the family that has both its addresses', async t => {
  const records = new HeldRecords()
  records.hold('x', { ...one, record: { ...OF_CLIENT, destination: { ip: '10.96.0.10', port: 80 } } })
  const server = { ...RECORD, family: 6 as const, destination: { ip: 'fd00::7', port: 8080 } }
  t.match(records.join('x', server, false), { family: 6, destination: { ip: 'fd00::7' } })
})

t.test('conversations of one UDP port are a record each', async t => {
  const cluster = held(
    node(A, '192.168.0.1'),
    node(B, '192.168.0.2'),
    pod({ name: 'web-0', namespace: 'shop', uid: 'u2', ip: '10.10.1.7', node: B }),
  )
  const told = new Told({ cluster })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, socket: 77, remote: '192.0.2.9', isn_local: 5, isn_remote: 6 })
  told.end(0, A, B)
  for (const window of [1, 2, 3]) {
    told.rows(A, window, 'udp_flow', {
      ...{ socket: 200 + window, role: 1, family: 2, pid: 6, comm: 'c', cgroup: 1, hierarchy: 1, netns: 40 },
      ...{ local: '10.10.0.5', local_port: 5000, remote: '10.10.1.7', remote_port: 53 },
      ...{ opened_ns: (window * 10 + 1) * 1e9, closed_ns: (window * 10 + 5) * 1e9 },
      ...{ packets_sent: window, bytes_sent: window * 10 },
    })
    told.end(window, A) // node-b's probe is behind
  }
  told.silence(4, 8, A)
  told.aggregator.flush()
  const packets = told.aggregated.filter(({ protocol }) => protocol === 17).map(({ total }) => total.packets)
  t.same(packets, [1, 2, 3])
})
