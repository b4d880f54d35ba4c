import t from 'tap'
import { Transport } from '../../collector/sinks/influxdb/transport.ts'
import { startInflux } from '../harness/influx.ts'
import { connect } from '../harness/influx_sink.ts'
import { batch, sample } from '../harness/samples.ts'
import { startVictoria } from '../harness/victoria.ts'

// What line protocol says is what its receivers read: here InfluxDB 1.6 and VictoriaMetrics, which read backslashes in
// different ways.

/** A value, and what every receiver reads. */
const values: [given: string, read: string][] = [
  ['a\\,b', 'a/,b'],
  ['C:\\ D', 'C:/ D'],
  ['C:\\new\\table', 'C:\\new\\table'],
  ['a\\=b', 'a/=b'],
  ['a\\\\b', 'a/\\b'],
  ['a\\\\\\\\,b', 'a////,b'],
  ['a\\b', 'a\\b'],
  ['a\\"b', 'a/"b'],
  ['back\\', 'back/'],
  ['\\', '/'],
  ['busybox_\\,b', 'busybox_/,b'],
  ['"quoted"', '"quoted"'],
  ['größe=1, 2', 'größe=1, 2'],
  ['x\r\ny\u001b[0m\u0000', 'x��y�[0m�'],
]
const names: [given: string, read: string][] = [
  ['a\\', 'a/'],
  ['b\\,c', 'b/,c'],
  ['d e=f', 'd e=f'],
  ['g\n', 'g�'],
]

const all = [
  ...values.map(([given], at) => sample([at, 1], { id: `v${at}`, label: given })),
  ...names.map(([given], at) => sample([at, 1], { id: `n${at}`, [given]: 'v' })),
]

t.test('InfluxDB 1.6 reads every tag as it is documented', async t => {
  const server = await startInflux()
  t.teardown(() => server.remove())
  await connect(t, { url: server.url }).write(batch(0, all))
  const rows = await server.query('SELECT * FROM "container:num_flows"', 'flows')
  const byId = new Map(rows.map(row => [row['id'], row]))
  for (const [at, [given, read]] of values.entries()) t.equal(byId.get(`v${at}`)?.['label'], read, given)
  for (const [at, [given, read]] of names.entries()) t.equal(byId.get(`n${at}`)?.[read], 'v', given)
})

t.test('VictoriaMetrics reads the same, and loses no line', async t => {
  const server = await startVictoria()
  t.teardown(() => server.remove())
  await connect(t, { url: server.url }).write(batch(0, all))
  const series = await server.series('container:num_flows_as_client')
  const byId = new Map(series.map(labels => [labels['id'], labels]))
  for (const [at, [given, read]] of values.entries()) t.equal(byId.get(`v${at}`)?.['label'], read, given)
  for (const [at, [given, read]] of names.entries()) t.equal(byId.get(`n${at}`)?.[read], 'v', given)
  t.equal(await server.counter('vm_rows_invalid_total{type="influx"}'), 0)
})

t.test('VictoriaMetrics with a token and no organisation takes samples', async t => {
  const server = await startVictoria()
  t.teardown(() => server.remove())
  await connect(t, { url: server.url, token: 'x' }).write(batch(0, [sample([1, 2], { pod: 'p' })]))
  t.match(await server.series('container:num_flows_as_client'), [{ pod: 'p', db: 'flows' }])
})

t.test('a retention policy that is missing names its setting', async t => {
  const server = await startInflux()
  t.teardown(() => server.remove())
  await t.rejects(connect(t, { url: server.url, retentionPolicy: 'nope' }).write(batch(0, all)), {
    reason: 'no_retention_policy',
    message: /^retention policy "nope" is not in database "flows" .* correct --influx-retention-policy/,
  })
})

t.test('a control character that InfluxDB 1.6 repeats in a header makes its answer unreadable', async t => {
  const server = await startInflux()
  t.teardown(() => server.remove())
  await server.query('CREATE DATABASE flows')
  const common = { username: undefined, password: '', ca: undefined, insecureSkipVerify: false, env: {} }
  const transport = new Transport({
    url: server.url,
    token: undefined,
    timeoutMs: 5000,
    gzip: false,
    ...common,
  })
  t.teardown(() => transport.close())
  const line = Buffer.from('container:num_flows,a\\=\u001bv as_client=1 1767323040')
  await t.rejects(transport.send('POST', '/write?db=flows&precision=s', line), { code: /^HPE_/ })
})

t.test('version 2 given for a 1.6: nothing accepts samples there', async t => {
  const server = await startInflux()
  t.teardown(() => server.remove())
  const sink = connect(t, { url: server.url, version: 2, org: 'o', token: 't' })
  await t.rejects(sink.write(batch(0, all)), {
    reason: 'no_influxdb',
    message: /answered 404 with text\/plain .*correct --influx-url or --influx-version/,
  })
})

t.test(
  'thousands of lines that InfluxDB 1.6 cannot read are refused, those beside them are stored',
  async t => {
    const server = await startInflux()
    t.teardown(() => server.remove())
    const sink = connect(t, { url: server.url })
    const many = Array.from({ length: 3000 }, (_, at) => sample([at, 1], { pod: `p${at}` }))
    const bad = sink.writeAll([batch(Number.NaN, many), batch(0, many.slice(0, 1500))])
    await t.rejects(bad, { name: 'Refused', samples: 3000 })
    t.match(await server.query('SELECT count(as_client) FROM "container:num_flows"', 'flows'), [
      { count: 1500 },
    ])
  },
)
