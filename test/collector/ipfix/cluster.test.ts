import t from 'tap'
import { Held } from '../../../collector/cluster/held/held.ts'
import type { Kind } from '../../../collector/cluster/kinds.ts'
import type { Thing } from '../../harness/kubernetes/api_server.ts'
import { node, pod, service, slice } from '../../harness/kubernetes/objects.ts'
import { only } from '../../harness/only.ts'
import { CLIENT, carrying, SERVER, Told, UIDS, update } from './given.ts'

const [A, B] = ['node-a', 'node-b']

const withUid = (thing: Thing, uid: string): Thing => ({ ...thing, metadata: { ...thing.metadata, uid } })

function facts(): Held {
  const held = new Held()
  for (const thing of [
    withUid(node(A, '192.168.0.1', { podCIDR: '10.10.0.0/24' }), UIDS.nodeA),
    withUid(node(B, '192.168.0.2', { podCIDR: '10.10.1.0/24' }), UIDS.nodeB),
    pod({ name: 'web-0', namespace: 'shop', uid: UIDS.web, ip: '10.10.1.7', node: B }),
    withUid(service('web', '10.96.0.10', [{ name: 'http', port: 80 }], {}, 'shop'), UIDS.service),
    slice('web-x', 'web', ['10.10.1.7'], [{ name: 'http', port: 8080 }], 'shop'),
  ])
    held.set(thing['kind'] as Kind, thing, 1e12)
  return held
}

t.test('the Service that was asked for, and its address', async t => {
  const told = new Told({ cluster: facts() })
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, ...carrying(10, 1) })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(5, 1) })
  told.end(0, A, B)
  told.silence(1, 2, A, B)
  only(t, told.aggregated, [
    {
      service: { name: 'shop/web:http', ip: '10.96.0.10', port: 80, uid: UIDS.service },
      ...{ destination: { ip: '10.10.1.7', port: 8080 }, type: 2, server: { pod: 'web-0', node: B } },
    },
  ])
})

t.test('a node with a probe that has told nothing yet is waited for, and named', async t => {
  const told = new Told({ cluster: facts() })
  const asked = { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }
  told.rows(B, 0, 'tcp_flow', {
    ...SERVER,
    socket: 77,
    local: '10.10.1.9',
    remote: '192.0.2.9',
    isn_local: 5,
  })
  told.rows(A, 0, 'tcp_flow', { ...asked, ...carrying(10, 1) })
  told.end(0, A, B)
  const ofIt = () => told.aggregated.filter(({ source }) => source.ip === '10.10.0.5')
  for (let window = 1; window <= 18; window++) {
    told.rows(A, window, 'tcp_update', update(asked, carrying(10, 1)))
    told.end(window, A)
    if (window < 18) t.same(ofIt(), [], `window ${window}`)
  }
  only(t, ofIt(), [
    {
      isIncomplete: true,
      type: 2,
      server: { pod: 'web-0', namespace: 'shop', node: B },
      fromDestination: undefined,
    },
  ])
})

t.test('a pod on a node without a probe is named, and not waited for', async t => {
  const told = new Told({ cluster: facts() })
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, remote: '10.10.1.7', remote_port: 8080, ...carrying(10, 1) })
  told.end(0, A)
  told.silence(1, 2, A)
  only(t, told.aggregated, [{ isIncomplete: false, type: 2, server: { pod: 'web-0', node: B } }])
})

t.test(
  'UIDs of pods are those of their probes, else of the cluster; those of nodes are of the cluster',
  async t => {
    const told = new Told({ cluster: facts() })
    told.rows(A, 0, 'tcp_flow', { ...CLIENT, remote: '10.10.1.7', remote_port: 8080, ...carrying(10, 1) })
    told.end(0, A)
    told.silence(1, 2, A)
    t.match(told.aggregated, [
      { client: { uid: 'u1', nodeUid: UIDS.nodeA }, server: { uid: UIDS.web, nodeUid: UIDS.nodeB } },
    ])
    const alone = new Told()
    alone.rows(A, 0, 'tcp_flow', { ...CLIENT, remote: '10.10.1.7', remote_port: 8080, ...carrying(10, 1) })
    alone.end(0, A)
    alone.silence(1, 2, A)
    t.match(alone.aggregated, [{ client: { uid: 'u1', nodeUid: '' }, server: { uid: undefined } }])
  },
)

t.test('a Service that is made again has another UID', async t => {
  const held = facts()
  const web = service('web', '10.96.0.10', [{ name: 'http', port: 80 }], {}, 'shop')
  const of = (atMs: number) => held.serviceByAddress('10.96.0.10', 80, 'tcp', atMs)?.uid
  held.set('Service', withUid(web, UIDS.client), 2e12)
  t.same([of(1.5e12), of(2.5e12)], [UIDS.service, UIDS.client])
})
