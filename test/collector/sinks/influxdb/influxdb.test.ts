import { pino } from 'pino'
import t, { type Test } from 'tap'
import { InfluxSink } from '../../../../collector/sinks/influxdb/influxdb.ts'
import { SinkQueue } from '../../../../collector/sinks/queue.ts'
import { Refused } from '../../../../collector/sinks/sink.ts'
import { admin, startInflux } from '../../../harness/influx.ts'
import { connect } from '../../../harness/influx_sink.ts'
import { batch, sample } from '../../../harness/samples.ts'

async function influx(t: Test, options?: Parameters<typeof startInflux>[0]) {
  const server = await startInflux(options)
  t.teardown(() => server.remove())
  return server
}

const all = 'SELECT * FROM "container:num_flows"'
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => sample([i, 0.5], { container: `c${i}` }))

t.test('http without login: the database is created and the samples are there', async t => {
  const server = await influx(t)
  const sink = connect(t, { url: server.url })
  await sink.write(batch(0, [sample([3, undefined], { container: 'a b,c', host: '' })]))
  await sink.write(batch(0, [sample([3, undefined], { container: 'a b,c', host: '' })]))
  t.same(await server.query(all, 'flows'), [
    { name: 'container:num_flows', time: 1767323040, container: 'a b,c', as_client: 3 },
  ])
  t.same(await server.query('SHOW FIELD KEYS', 'flows'), [
    { name: 'container:num_flows', fieldKey: 'as_client', fieldType: 'float' },
  ])
})

t.test('floats go into a database that already has float fields', async t => {
  const server = await influx(t)
  await server.query('CREATE DATABASE flows')
  const sink = connect(t, { url: server.url, createDatabase: false })
  await sink.write(batch(0, [sample([1.5, 2.25])]))
  await sink.write(batch(1, [sample([3, 0])]))
  t.match(await server.query(all, 'flows'), [
    { as_client: 1.5, as_server: 2.25 },
    { as_client: 3, as_server: 0 },
  ])
})

t.test('many samples take several requests', async t => {
  const server = await influx(t)
  const sink = connect(t, { url: server.url, linesPerRequest: 300 })
  await sink.write(batch(0, many(1000)))
  t.match(await server.query('SELECT count(as_client) FROM "container:num_flows"', 'flows'), [
    { count: 1000 },
  ])
})

t.test('https with login: the ca option is enough, and without it the sentence names it', async t => {
  const server = await influx(t, { https: true, auth: true })
  await connect(t, { url: server.url, ...admin, ca: server.ca }).write(batch(0, [sample([1, 2])]))
  t.equal((await server.query(all, 'flows')).length, 1)

  const stranger = connect(t, { url: server.url, ...admin })
  await t.rejects(stranger.write(batch(1, [sample([1, 2])])), {
    message: /certificate .* not trusted.*--influx-ca.*--influx-insecure/,
  })
  await connect(t, { url: server.url, ...admin, insecureSkipVerify: true }).write(batch(2, [sample([1, 2])]))

  const plain = connect(t, { url: server.url.replace('https', 'http'), ...admin })
  await t.rejects(plain.write(batch(3, [sample([1, 2])])), { message: /needs TLS: write https/ })
  t.throws(
    () =>
      new InfluxSink({
        url: server.url,
        ca: '/nowhere.pem',
        database: 'd',
        createDatabase: false,
        timeoutMs: 1,
        gzip: true,
        linesPerRequest: 1,
      }),
    {
      message: /--influx-ca: cannot read \/nowhere.pem/,
    },
  )
})

t.test('http with login', async t => {
  const server = await influx(t, { auth: true })
  const { host } = new URL(server.url)
  await server.query('CREATE DATABASE flows')
  await server.query(`CREATE USER writer WITH PASSWORD 'w'`)
  await server.query(`CREATE USER reader WITH PASSWORD 'r'`)
  await server.query('GRANT WRITE ON flows TO writer')
  const one = batch(0, [sample([1, 2])])

  await t.test('a login written into the url, unescaped', async t => {
    const sink = connect(t, { url: `http://${admin.username}:${admin.password}@${host}` })
    await sink.write(one)
    t.equal((await server.query(all, 'flows')).length, 1)
  })

  await t.test('a user with nothing but WRITE', t =>
    connect(t, { url: server.url, username: 'writer', password: 'w' }).write(one),
  )

  await t.test('a wrong password is a sentence without it', async t => {
    const sink = connect(t, { url: `http://writer:secret@${host}` })
    const error: Error = await sink.write(one).then(
      () => t.fail(),
      error => error,
    )
    t.match(
      error.message,
      `InfluxDB at ${server.url} refuses the login of user "writer": check username and password`,
    )
    t.notMatch(JSON.stringify([error.message, error.stack]), 'secret')
  })

  await t.test('no login where one is wanted', t =>
    t.rejects(connect(t, { url: server.url }).write(one), {
      message: /refuses the login of a client without a user name/,
    }),
  )

  await t.test('no WRITE grant', t =>
    t.rejects(connect(t, { url: server.url, username: 'reader', password: 'r' }).write(one), {
      message: /^user "reader" may not write to database "flows" of InfluxDB at .*: grant WRITE/,
    }),
  )

  await t.test('a missing database that the user may not create', t =>
    t.rejects(
      connect(t, { url: server.url, username: 'writer', password: 'w', database: 'new' }).write(one),
      {
        message:
          /^database "new" does not exist .* user "writer" may not create it: run CREATE DATABASE "new"/,
      },
    ),
  )

  await t.test('a missing database that must not be created', async t => {
    await t.rejects(
      connect(t, { url: server.url, ...admin, database: 'new', createDatabase: false }).write(one),
      {
        message: /^database "new" is not in InfluxDB at .*: create it/,
      },
    )
    t.notMatch(await server.query('SHOW DATABASES'), [{ name: 'new' }])
  })

  await t.test('a missing retention policy is said, not created over and over', t =>
    t.rejects(connect(t, { url: server.url, ...admin, retentionPolicy: 'week' }).write(one), {
      message: /retention policy not found: week/,
    }),
  )
})

t.test('samples of the wrong type are refused with their number, the good ones are stored', async t => {
  const server = await influx(t)
  const sink = connect(t, { url: server.url })
  const integers = { name: 'pod:num_flows', fields: ['as_client'] }
  await sink.write(batch(0, [sample([1, 1])]))
  const { host } = new URL(server.url)
  await fetch(`http://${host}/write?db=flows&precision=s`, {
    method: 'POST',
    body: 'pod:num_flows as_client=3i 1767323000',
  })
  const mixed = [
    ...many(5),
    sample([1], {}, integers),
    sample([2], { pod: 'p' }, integers),
    sample([Number.NaN, 1], { container: 'nan' }),
  ]
  const error = await sink.write(batch(1, mixed)).then(
    () => t.fail(),
    (error: unknown) => error,
  )
  t.type(error, Refused)
  t.match(error, {
    reason: 'partial_write',
    samples: 3,
    message: /refused 2 of 8 samples for database "flows": partial write: field type conflict/,
  })
  t.match(await server.query('SELECT count(as_server) FROM "container:num_flows"', 'flows'), [{ count: 7 }])
})

t.test('lines that the server cannot read are refused with their number', async t => {
  const server = await influx(t)
  const sink = connect(t, { url: server.url })
  const noTime = batch(Number.NaN, [sample([1, 2])])
  await t.rejects(sink.write(noTime), { name: 'Refused', reason: 'bad_request', samples: 1 })
  const noName = sample([1], {}, { name: '', fields: ['x'] })
  const some = sink.write(batch(0, [noName, ...many(3)]))
  await t.rejects(some, { name: 'Refused', reason: 'partial_write', samples: 1 })
  t.equal((await server.query(all, 'flows')).length, 3)
})

t.test('batches wait while the server is away and arrive once and in order', async t => {
  const server = await influx(t)
  const queue = new SinkQueue(connect(t, { url: server.url }), {
    maxSamples: 10_000,
    log: pino({ level: 'silent' }),
  })
  t.teardown(() => queue.close({ deadlineMs: 0 }))
  const settled: number[] = []
  const push = (window: number) =>
    new Promise<void>(resolve =>
      queue.push(batch(window, [sample([window, 0])]), () => resolve(void settled.push(window))),
    )
  await push(0)
  await server.stop()
  const later = [1, 2, 3, 4, 5].map(push)
  while (queue.counters.retries === 0) await new Promise(resolve => setImmediate(resolve))
  await server.start()
  await Promise.all(later)
  t.same(settled, [0, 1, 2, 3, 4, 5])
  t.same(
    (await server.query(all, 'flows')).map(row => row.as_client),
    [0, 1, 2, 3, 4, 5],
  )
  t.match(queue.counters, { written: 6, samples: 6, refused: {}, dropped: 0, waiting: 0 })
})
