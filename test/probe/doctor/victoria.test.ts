import t from 'tap'
import { victoriametrics } from '../../../probe/doctor/victoria.ts'
import { startInflux } from '../../harness/influx.ts'
import { connect } from '../../harness/influx_sink.ts'
import { batch, sample, start } from '../../harness/samples.ts'
import { needs } from '../../harness/skip.ts'
import { startVictoria } from '../../harness/victoria.ts'
import { world } from './world.ts'

const FLAG = '-dedup.minScrapeInterval=1ms'
const skip = needs('victoria')
const windows = [0, 1, 2].map(window => batch(window, [sample([window, 2 * window])]))

t.test('a window that is written twice counts once with its flag, and is said without', { skip }, async t => {
  const env = await world(t)
  for (const flags of [[FLAG], []]) {
    const server = await startVictoria(...flags)
    t.teardown(() => server.remove())
    // the address of a cluster has a path, too: vminsert:8480/insert/0/influx
    for (const url of [server.url, `${server.url}/influx`])
      for (const window of windows) await connect(t, { url }).write(window)
    const once = [0, 1, 2].map(window => [start + 10 * window, window])
    const points = (await server.points('container:num_flows_as_client')).sort(([a], [b]) => a - b)
    t.same(points, flags.length > 0 ? once : once.flatMap(point => [point, point]))
    const [finding] = await victoriametrics({ ...env, influx: [{ url: server.url, insecure: false }] })
    if (flags.length > 0) t.match(finding, { ok: true })
    else t.match(finding, { ok: 'warn', found: /keeps every point/, remedy: /-dedup\.minScrapeInterval=1ms/ })
  }
})

t.test('its values are those that InfluxDB has', { skip: skip || needs('influxd') }, async t => {
  const [victoria, influx] = [await startVictoria(FLAG), await startInflux()]
  t.teardown(() => Promise.all([victoria.remove(), influx.remove()]))
  for (const { url } of [victoria, influx])
    for (const window of windows) await connect(t, { url }).write(window)
  const rows = await influx.query('select * from "container:num_flows"', 'flows')
  for (const field of ['as_client', 'as_server']) {
    const points = await victoria.points(`container:num_flows_${field}`)
    t.same(
      points,
      rows.map(row => [row['time'], row[field]]),
      field,
    )
  }
  const env = { ...(await world(t)), influx: [{ url: influx.url, insecure: false }] }
  t.same(await victoriametrics(env), [], 'InfluxDB overwrites')
})
