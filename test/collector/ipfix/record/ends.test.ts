/** What a record calls its ends: by their probes and by the cluster, with one name for one thing. */

import t from 'tap'
import { jsonOf } from '../../../../collector/ipfix/format/json.ts'
import { templateOf } from '../../../../collector/ipfix/format/templates.ts'
import type { IpfixRecord } from '../../../../collector/ipfix/record/record.ts'
import { VALUES } from '../../../../collector/ipfix/record/values.ts'
import type { WindowNames } from '../../../../wire/message.ts'
import { node, pod } from '../../../harness/kubernetes/objects.ts'
import { only } from '../../../harness/only.ts'
import { held } from '../../flows/given.ts'
import { CLIENT, carrying, NAMES, SERVER, Told } from '../given.ts'

const [A, B] = ['node-a', 'node-b']
const DIRECT = { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }

const written = (record: IpfixRecord | undefined) =>
  JSON.parse(jsonOf(templateOf('aggregate', 4), name => VALUES[name](record!), 0, false)).ipfix

/** A conversation of two pods, as probes with these names tell of it. */
function of(told: Told, names: WindowNames): IpfixRecord | undefined {
  told.stage.rows(A, 0, 'tcp_flow', [{ ...DIRECT, ...carrying(10, 1) }], names)
  told.stage.rows(B, 0, 'tcp_flow', [{ ...SERVER, ...carrying(0, 0, 10, 1) }], names)
  for (const window of [0, 1, 2]) for (const host of [A, B]) told.stage.end(host, window, names)
  t.equal(told.aggregated.length, 1)
  return told.aggregated[0]
}

t.test('labels are those of the pod: the cluster has all, its probe those that it was asked for', async t => {
  const labelled: WindowNames = {
    ...NAMES,
    pods: { u1: { ...NAMES.pods['u1']!, labels: { tier: 'probe' } }, u2: NAMES.pods['u2']! },
  }
  const facts = held(
    pod({ name: 'client-0', uid: 'u1', ip: '10.10.0.5', node: A, labels: { app: 'client', tier: 'x' } }),
    pod({ name: 'web-0', namespace: 'shop', uid: 'u2', ip: '10.10.1.7', node: B, labels: {} }),
  )
  const labels = (record: IpfixRecord | undefined) => {
    const { sourcePodLabels, destinationPodLabels } = written(record)
    return [sourcePodLabels, destinationPodLabels]
  }
  t.same(labels(of(new Told({ cluster: facts }), labelled)), ['{"app":"client","tier":"x"}', '{}'])
  t.same(labels(of(new Told(), labelled)), ['{"tier":"probe"}', ''], 'nothing is known of the other')
})

t.test('a node has one name, that of the cluster', async t => {
  const facts = held(
    node('node-a.example', '192.168.0.1', { podCIDR: '10.10.0.0/24' }),
    node('node-b.example', '192.168.0.2', { podCIDR: '10.10.1.0/24' }),
    pod({ name: 'client-0', uid: 'u1', ip: '10.10.0.5', node: 'node-a.example' }),
    pod({ name: 'web-0', namespace: 'shop', uid: 'u2', ip: '10.10.1.7', node: 'node-b.example' }),
    pod({ name: 'x', namespace: 'shop', uid: 'u3', ip: '10.10.1.8', node: 'node-b.example' }),
    pod({ name: 'y', uid: 'u4', ip: '10.10.0.8', node: 'node-a.example' }),
  )
  const told = new Told({ cluster: facts, scope: 'all' })
  const other = { isn_local: 5, isn_remote: 6 }
  const host = { socket: 70, cgroup: 99, local: '192.168.0.2', remote: '192.0.2.9', isn_local: 15 }
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(0, 0, 1, 1) }, { ...SERVER, ...host })
  told.rows(
    A,
    0,
    'tcp_flow',
    { ...DIRECT, ...carrying(1, 1) },
    { ...CLIENT, ...other, socket: 8, remote: '10.10.0.8', remote_port: 80 },
  )
  told.end(0, A, B)
  // node-b's probe has another conversation of the pod there, which comes late
  told.rows(A, 1, 'tcp_flow', { ...CLIENT, socket: 11, remote: '10.10.1.8', isn_local: 25, isn_remote: 26 })
  told.silence(1, 4, A)
  const of = (ip: string) => told.aggregated.filter(({ destination }) => destination.ip === ip)
  only(t, of('10.10.1.8'), [], 'the probe of its node is waited for')
  told.silence(1, 4, B)
  told.end(5, A, B)
  only(t, of('10.10.1.7'), [
    {
      type: 2,
      node: 'node-a.example',
      client: { node: 'node-a.example' },
      server: { node: 'node-b.example' },
    },
  ])
  only(t, of('10.10.0.8'), [
    { type: 1, client: { node: 'node-a.example' }, server: { node: 'node-a.example' } },
  ])
  only(t, of('10.10.1.8'), [{ type: 2, server: { pod: 'x', node: 'node-b.example' } }])
  only(t, of('192.168.0.2'), [{ node: 'node-b.example', server: { pod: '', node: 'node-b.example' } }])
})

t.test('the address of a node is the one that the cluster has for it', async t => {
  const told = new Told({ cluster: held(node(A, '192.168.0.1'), node('other', '192.168.0.9')) })
  const host = (window: number, local: string) => {
    const row = { ...CLIENT, socket: 100 + window, cgroup: 99, local, remote: '192.0.2.9', isn_local: window }
    const pod = { ...DIRECT, socket: 1000 + window, remote: '192.0.2.9', isn_local: 5000 + window }
    told.rows(A, window, 'tcp_flow', row, { ...pod, ...carrying(1, 1), state: 7, closed_ns: 2.5e9 })
    told.end(window, A)
    told.end(window + 1, A)
    return told.exported.at(-1)?.nodeAddress
  }
  t.equal(host(1, '192.168.0.1'), '192.168.0.1')
  t.equal(host(3, '192.168.0.9'), '192.168.0.1')
  told.end(362, A)
  t.equal(host(363, '192.168.0.9'), '192.168.0.1')
})
