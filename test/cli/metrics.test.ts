import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { list, planned } from '../../cli/metrics.ts'
import { catalogue } from '../../collector/metrics/catalogue.ts'
import { serve } from '../../collector/serve/server.ts'

const SOCKFLUX = join(import.meta.dirname, '../../cli/sockflux.ts')
const metrics = async (...flags: string[]) =>
  (await promisify(execFile)(process.execPath, [SOCKFLUX, 'metrics', ...flags])).stdout

t.test('the list has a paragraph for each measurement', async t => {
  const text = list(catalogue.filter(({ name }) => name === 'pod:connect'))
  t.equal(
    text,
    `pod:connect  (group connect)
  time from SYN_SENT to ESTABLISHED of the connections that clients established in the window
  tags: ifid, pod, namespace, host, owner_kind, owner_name, node, label_*
  mean  gauge    ms  sockflux_pod_connect_mean_seconds  the mean, exact
  p95   gauge    ms  sockflux_pod_connect_p95_seconds   95th percentile, at most 3.2 % off from 8 us to 67 s
  max   gauge    ms  sockflux_pod_connect_max_seconds   the longest, exact
  in Prometheus also the histogram sockflux_pod_connect_seconds
`,
  )
  const all = await metrics()
  for (const { name } of catalogue) t.ok(all.includes(`${name}  (group`), name)
})

t.test('--json is for programs', async t => {
  const all = JSON.parse(await metrics('--json'))
  t.equal(all.length, catalogue.length)
  t.match(all[0], {
    measurement: 'container:num_flows',
    group: 'flows',
    fields: [
      {
        name: 'as_client',
        type: 'gauge',
        unit: 'flows',
        prometheus: 'sockflux_container_flows{role="client"}',
      },
      {},
    ],
  })
})

t.test('--plan asks the collector and adds up', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'sockflux-metrics-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const socket = join(directory, 'socket')
  const plan = [
    { measurement: 'container:rtt', series: 12 },
    { measurement: 'host:cpu', series: 1 },
  ]
  const server = await serve(socket, { 'GET /series': async () => plan })
  t.teardown(() => server.close())
  t.match(await metrics('--plan', '--socket', socket), /container:rtt +12\nhost:cpu +1\ntotal +13\n$/)
  t.same(JSON.parse(planned(plan, true)), { measurements: plan, total: 13 })
  await t.rejects(metrics('--plan', '--socket', `${socket}-not`), /no collector answers/)
})
