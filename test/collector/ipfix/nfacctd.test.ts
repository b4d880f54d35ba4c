import t from 'tap'
import { Cleanup } from '../../harness/cleanup.ts'
import { startNfacctd } from '../../harness/ipfix/collectors.ts'
import { only } from '../../harness/only.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { until } from '../../harness/until.ts'
import { CLIENT, carrying, SERVER } from './given.ts'
import { sending } from './sending.ts'

t.setTimeout(90_000)
const cleanup = new Cleanup()
t.teardown(() => cleanup.close())

t.test('nfacctd prints the names of pods and Services', { skip: needs('nfacctd') }, async t => {
  const collector = await startNfacctd(await scratch(cleanup, 'ipfix'))
  t.teardown(() => collector.close())
  const { told } = sending(t, { externalFlowCollectorAddr: `127.0.0.1:${collector.port}:udp` })
  told.rows('node-a', 0, 'tcp_flow', { ...CLIENT, ...carrying(1000, 10) })
  told.rows('node-b', 0, 'tcp_flow', { ...SERVER, ...carrying(200, 5) })
  told.silence(0, 2, 'node-a', 'node-b')
  const rows = await until('a row', () => collector.rows().length > 0 && collector.rows(), 30_000)
  only(t, rows, [
    {
      ...{ ip_src: '10.10.0.5', ip_dst: '10.10.1.7', port_src: 44752, port_dst: 8080, ip_proto: 'tcp' },
      ...{ pod_src: 'client-0', pod_dst: 'web-0', service: 'shop/web:http', flow_type: '2' },
      ...{ packets: 10, bytes: 1000 },
    },
  ])
})
