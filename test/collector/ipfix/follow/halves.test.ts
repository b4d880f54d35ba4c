/** Conversations of which one half has closed, or of which both halves are known and never joined. */

import t from 'tap'
import { node, pod, service, slice } from '../../../harness/kubernetes/objects.ts'
import { only } from '../../../harness/only.ts'
import { held, type Row } from '../../flows/given.ts'
import { CLIENT, carrying, SERVER, Told } from '../given.ts'

const [A, B] = ['node-a', 'node-b']
const DIRECT = { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }
/** Without what TCP alone has. */
const datagrams = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !/^(isn|established)_/.test(name)))
const CLOSED = { state: 7, closed_ns: 15e9 }

for (const order of [
  [A, B],
  [B, A],
])
  for (const [what, host, row] of [
    ['the server has closed, the client leaks its socket', B, SERVER],
    ['the client has closed, the server leaks its socket', A, DIRECT],
  ] as const)
    t.test(`${what}; windows end in the order ${order.join(', ')}`, async t => {
      const told = new Told()
      told.rows(A, 0, 'tcp_flow', { ...DIRECT, ...carrying(1000, 10, 500, 5) })
      told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(500, 5, 1000, 10) })
      told.end(0, ...order)
      told.rows(host, 1, 'tcp_flow', { ...row, ...CLOSED })
      told.end(1, ...order)
      told.silence(2, 60, ...order)
      only(t, told.aggregated, [{ reason: 1, isIncomplete: false, total: { bytes: 1000, revBytes: 500 } }])
      t.same(told.exported.map(({ node }) => node).sort(), [A, B], 'each node tells once')
    })

t.test('datagrams through a Service are one record, of what the client counts', async t => {
  const udp = { protocol: 'UDP' }
  const cluster = held(
    node(A, '192.168.0.1'),
    node(B, '192.168.0.2'),
    pod({ name: 'client-0', uid: 'u1', ip: '10.10.0.5', node: A }),
    pod({ name: 'web-0', namespace: 'shop', uid: 'u2', ip: '10.10.1.7', node: B }),
    service('dns', '10.96.0.53', [{ name: 'dns', port: 53, ...udp }], {}, 'shop'),
    slice('dns-x', 'dns', ['10.10.1.7'], [{ name: 'dns', port: 8080, ...udp }], 'shop'),
  )
  const [client, server] = [
    datagrams({ ...CLIENT, remote: '10.96.0.53', remote_port: 53 }),
    datagrams(SERVER),
  ]
  for (const order of [
    [A, B],
    [B, A],
  ]) {
    const told = new Told({ cluster })
    const other = { ...CLIENT, socket: 90, remote: '192.0.2.9', isn_local: 5, isn_remote: 6 }
    told.rows(A, 0, 'tcp_flow', other)
    told.end(0, ...order)
    const sent = { bytes_sent: 40, packets_sent: 1, bytes_rcvd: 90, packets_rcvd: 1 }
    told.rows(A, 1, 'udp_flow', { ...client, ...sent })
    told.rows(B, 1, 'udp_flow', {
      ...server,
      bytes_sent: 90,
      packets_sent: 1,
      bytes_rcvd: 40,
      packets_rcvd: 1,
    })
    told.silence(1, 40, ...order)
    const ofDns = told.aggregated.filter(({ protocol }) => protocol === 17)
    only(t, ofDns, [
      {
        ...{ client: { pod: 'client-0' }, service: { name: 'shop/dns:dns' }, isIncomplete: false },
        total: { bytes: 40, revBytes: 90 },
      },
    ])
  }
})
