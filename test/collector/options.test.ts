import t from 'tap'
import { collectorSettings } from '../../collector/options.ts'
import { readSettings } from '../../wire/settings/read.ts'

const read = (flags: Record<string, unknown>, env: NodeJS.ProcessEnv = {}) =>
  readSettings(collectorSettings, 'collector', flags, env)

t.test('a password in the address of InfluxDB may have any characters, and is not shown', async t => {
  for (const url of ['http://u:p#a/s?s@host:8086', 'https://host', 'http://u:p%20w@[::1]:8086/x'])
    t.same(read({ influxUrl: url }).influxUrl, [url])
  for (const url of ['http://u:secret@', 'influx://u:secret@', 'http://u:se cret@host:x'])
    for (const given of [() => read({ influxUrl: url }), () => read({}, { INFLUX_URL: url })])
      t.throws(given, {
        message: /^(--influx-url|INFLUX_URL): needs an address such as \S+, not "…@(host:x)?"$/,
      })
})

t.test('several InfluxDBs are told one by one, or with commas; a comma may be in a password', async t => {
  const urls = ['http://a:8086', 'http://u:p,q,@b:8086', 'https://c']
  t.same(read({ influxUrl: urls }).influxUrl, urls)
  t.same(read({}, { INFLUX_URL: urls.join(',') }).influxUrl, urls)
  t.same(read({}, { INFLUX_URL: 'http://u:a,b@h' }).influxUrl, ['http://u:a,b@h'])
  for (const wrong of ['a:8086,http://b', 'http://b,http://u:hush,more@', 'http://u:hush,more@:x'])
    t.throws(() => read({}, { INFLUX_URL: wrong }), /^INFLUX_URL: needs an address such as (?!.*(hush|more))/)
})

t.test('a list that must not be empty is refused when it is', async t => {
  t.throws(() => read({ listen: [] }), /--listen: needs at least one/)
  t.throws(() => read({ metrics: [] }), /--metrics: needs at least one/)
  t.same(read({ sink: [] }).sink, [])
})

const prometheus = (given: unknown) =>
  readSettings(collectorSettings, 'collector', { prometheus: given }, {}).prometheus

t.test('metrics over HTTP are off by default; a port alone listens on the loopback address', async t => {
  t.equal(prometheus(undefined), undefined)
  t.same(prometheus('9469'), { host: '127.0.0.1', port: 9469 })
  t.same(prometheus(9469), { host: '127.0.0.1', port: 9469 }, 'as YAML gives it')
  t.same(prometheus('127.0.0.1:0'), { host: '127.0.0.1', port: 0 })
  t.same(prometheus('[::1]:9469'), { host: '::1', port: 9469 })
  t.same(prometheus('node-1.example:9469'), { host: 'node-1.example', port: 9469 })
  for (const wrong of [
    '',
    ':9469',
    '127.0.0.1',
    '127.0.0.1:',
    '::1:9469',
    '[::1]',
    '127.0.0.1:65536',
    'a b:1',
  ])
    t.throws(() => prometheus(wrong), /--prometheus: needs an address and a port/, wrong)
})

t.test('an endpoint has a known transport, with an ifid or without', async t => {
  const listen = (endpoint: string) => read({ listen: [endpoint] }).listen
  for (const endpoint of [
    'tcp://127.0.0.1:5556',
    'tcp://*:*',
    'tcp://[::1]:5556,ifid=6',
    'ipc:///run/x',
    'ipc://x,ifid=a-b.c',
  ])
    t.same(listen(endpoint), [endpoint])
  for (const endpoint of [
    ...['', '127.0.0.1:5556', 'udp://127.0.0.1:5556', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:65536'],
    ...['tcp://127.0.0.1:5556,ifid=', 'tcp://127.0.0.1:5556,name=x', 'ipc://', 'xtcp://127.0.0.1:5556'],
  ])
    t.throws(() => listen(endpoint), /--listen: /, endpoint)
})
