/** A collector with an API server: what a probe's rows become. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { Dealer } from 'zeromq'
import { decodeAck } from '../../../wire/ack.ts'
import { encodeWindow, type WindowHead } from '../../../wire/message.ts'
import { bundleOf } from '../../harness/bundle.ts'
import { ApiServer } from '../../harness/kubernetes/api_server.ts'
import { node, owned, pod, service } from '../../harness/kubernetes/objects.ts'
import { openSite } from '../../harness/sockflux.ts'
import { NAMES, rowsOf } from '../flows/given.ts'

const BOOT = Math.floor(Date.now() / 1000) * 1000 - 600_000

t.test('flows of a pod to a Service, by what made the pod', async t => {
  const api = await ApiServer.start(t)
  api.set('Node', node('node-a', '192.168.0.1'))
  api.set('ReplicaSet', owned('ReplicaSet', 'web-77', ['Rollout', 'web'], 'shop'))
  const given = { name: 'web-0', namespace: 'shop', uid: 'u', ip: '10.0.0.1', labels: { team: 'red' } }
  api.set('Pod', pod({ ...given, node: 'node-a', owner: ['ReplicaSet', 'web-77'] }))
  api.set('Service', service('db', '10.96.0.7', [{ name: 'pg', port: 5432 }], {}, 'shop'))
  const config = join(t.testdir({}), 'config')
  const context = { name: 'x', context: { cluster: 'x', user: 'x' } }
  writeFileSync(
    config,
    stringify({
      ...{ 'current-context': 'x', contexts: [context], users: [{ name: 'x', user: {} }] },
      clusters: [{ name: 'x', cluster: { server: api.url } }],
    }),
  )

  const site = await openSite()
  t.teardown(() => site.close())
  const collector = await site.collector([
    ...['--cluster-from', config, '--cluster-label', 'team'],
    ...['--metrics', 'flows,workload,service,node'],
  ])
  t.match(await site.stats(), { cluster: { from: api.url, Pod: 1, Service: 1, Node: 1 } })
  const dealer = new Dealer({ linger: 0 })
  t.teardown(() => dealer.close())
  dealer.connect(site.endpoint)
  const { layout, bytes } = rowsOf('tcp_flow', [
    {
      ...{
        socket: 7,
        role: 1,
        state: 1,
        family: 2,
        pid: 6,
        comm: 'curl',
        cgroup: 1,
        hierarchy: 1,
        netns: 40,
      },
      ...{ local: '10.0.0.1', local_port: 40000, remote: '10.96.0.7', remote_port: 5432, opened_ns: 300e9 },
      ...{ bytes_sent: 100, bytes_rcvd: 7, segs_sent: 1, segs_rcvd: 1 },
    },
  ])
  const time = BOOT / 1000 + 590
  const head: WindowHead = {
    ...{ host: 'h', boot: 'b', probe: 'p', window: 1, sequence: 1, lost: {}, start_ns: '1', end_ns: '2' },
    ...{ clock_offset_ns: String(BOOT * 1e6), time, interval: 1, partial: false },
  }
  await dealer.send(encodeWindow(head, bundleOf({ layout, bytes }), NAMES))
  t.equal(decodeAck(await dealer.receive()).window, 1)

  t.match(
    await site.query('select owner_kind, owner_name, node, label_team, as_client from "pod:num_flows"'),
    [{ owner_kind: 'Rollout', owner_name: 'web', node: 'node-a', label_team: 'red', as_client: 1 }],
  )
  t.match(await site.query('select workload, owner_kind, namespace, as_client from "workload:num_flows"'), [
    { workload: 'web', owner_kind: 'Rollout', namespace: 'shop', as_client: 1 },
  ])
  t.match(await site.query('select * from "service:traffic"'), [
    { namespace: 'shop', service: 'db', port: 'pg', by: 'address', bytes: 100, rev_bytes: 7, flows: 1 },
  ])
  t.match(await site.query('select node, scope, bytes_sent from "node:traffic"'), [
    { node: 'node-a', scope: 'inter', bytes_sent: 100 },
  ])
  t.match(await collector.kill(), { code: 0 })
})
