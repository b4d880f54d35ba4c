/** An aggregator that joins nothing: what each node has seen, with the names of both ends, and the side that it saw. */

import t from 'tap'
import type { IpfixRecord } from '../../../collector/ipfix/record/record.ts'
import { VALUES } from '../../../collector/ipfix/record/values.ts'
import { CLIENT, carrying, RECORD, SERVER, SERVICE, Told, update } from './given.ts'

const [A, B] = ['node-a', 'node-b']
const directions = (records: readonly IpfixRecord[]) => records.map(record => VALUES.flowDirection(record))

t.test('two nodes: a record from each, both with both names, at once', async t => {
  const told = new Told({ cluster: SERVICE })
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, ...carrying(1000, 10, 190, 4) })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(200, 5, 990, 9) })
  told.end(0, A, B)
  told.silence(1, 2, A, B)
  const both = { client: { pod: 'client-0', node: A }, server: { pod: 'web-0', node: B }, type: 2 }
  t.match(told.proxied, [
    { ...both, node: A, total: { bytes: 1000, revBytes: 190 }, service: { name: 'shop/web:http' } },
    { ...both, node: B, total: { bytes: 990, revBytes: 200 } },
  ])
  t.same(directions(told.proxied), [1, 0], 'egress, ingress')
  t.same(directions(told.aggregated), [255], 'of both it is neither')
})

t.test('a silent node is not waited for', async t => {
  const asked = { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }
  const told = new Told()
  told.rows(B, 0, 'tcp_flow', { ...SERVER, socket: 77, remote: '192.0.2.9', isn_local: 5, isn_remote: 6 })
  told.rows(A, 0, 'tcp_flow', { ...asked, ...carrying(10, 1) })
  told.end(0, A, B)
  for (let window = 1; window <= 6; window++) {
    told.rows(A, window, 'tcp_update', update(asked, carrying(10, 1)))
    told.end(window, A)
  }
  const ofIt = told.proxied.filter(({ node }) => node === A)
  t.match(ofIt, [
    { isIncomplete: false, reason: 2, type: 2, client: { pod: 'client-0' }, total: { bytes: 70 } },
  ])
  t.same(directions(ofIt), [1])
})

t.test('one node, and conversations with elsewhere', async t => {
  const told = new Told()
  const asked = { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }
  told.rows(A, 0, 'tcp_flow', asked, SERVER, { ...CLIENT, socket: 8, remote: '192.0.2.9', isn_local: 1 })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, socket: 9, remote: '192.0.2.8', isn_local: 3 })
  told.end(0, A, B)
  told.silence(1, 2, A, B)
  const found = told.proxied.map(record => [record.type, VALUES.flowDirection(record)])
  t.same(found.sort(), [
    [1, 255],
    [3, 1],
    [4, 0],
  ])
})

t.test('what has neither end, or a type that nobody knows, has no direction', async t => {
  const { fromSource: _, ...ofDestination } = RECORD
  t.equal(VALUES.flowDirection(ofDestination), 0)
  t.equal(VALUES.flowDirection({ ...ofDestination, type: 0 }), 255)
})
