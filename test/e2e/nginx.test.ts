import t from 'tap'
import { freePorts, startInflux } from '../harness/influx.ts'
import { connect } from '../harness/influx_sink.ts'
import { startNginx } from '../harness/nginx.ts'
import { batch, sample } from '../harness/samples.ts'

// A real nginx before a real InfluxDB: its own refusals are no word about the samples.

const many = (count: number) => Array.from({ length: count }, (_, i) => sample([i, 1], { pod: `p${i}` }))
const [port] = await freePorts()
const url = `http://127.0.0.1:${port}`

t.test('its TLS port by http', async t => {
  await startNginx(
    t,
    port,
    `listen ${port} ssl; ssl_certificate DIR/cert.pem; ssl_certificate_key DIR/key.pem;`,
  )
  await t.rejects(connect(t, { gzip: false, url }).write(batch(0, many(3))), {
    name: 'InfluxError',
    reason: 'tls',
    message: /write https:\/\/ in the url/,
  })
})

t.test('a redirect to https', async t => {
  await startNginx(t, port, `listen ${port}; return 308 https://influx.example$request_uri;`)
  await t.rejects(connect(t, { gzip: false, url }).write(batch(0, many(3))), {
    reason: 'redirected',
    message: /it redirects to https:\/\/influx.example \(308\)/,
  })
})

t.test('its limit of a request: all samples come through in smaller ones', async t => {
  const server = await startInflux()
  t.teardown(() => server.remove())
  await startNginx(
    t,
    port,
    `listen ${port}; client_max_body_size 4k; location / { proxy_pass ${server.url}; proxy_set_header Host $host; }`,
  )
  const sink = connect(t, { gzip: false, url })
  for (const window of [0, 1]) await sink.write(batch(window, many(1000)))
  t.match(await server.query('SELECT count(as_client) FROM "container:num_flows"', 'flows'), [
    { count: 2000 },
  ])
})

t.test('a limit below every sample keeps them', async t => {
  const server = await startInflux()
  t.teardown(() => server.remove())
  await startNginx(
    t,
    port,
    `listen ${port}; client_max_body_size 10; location / { proxy_pass ${server.url}; }`,
  )
  await t.rejects(connect(t, { gzip: false, url }).write(batch(0, many(100))), {
    name: 'InfluxError',
    reason: 'too_large',
    message: /413 text\/html \(<title>413 Request Entity Too Large\)/,
  })
})
