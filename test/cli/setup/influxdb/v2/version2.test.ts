import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DAY, few, resolutions, setup } from '../given.ts'
import { connection, influx2, newId, ORG, type Server } from './server.ts'

const org = ORG.name
const run = (server: Server, wanted = {}, more = {}) =>
  setup(server.url, { connection, wanted: { org, ...wanted }, ...more })
const done = (lines: readonly string[]) => lines.filter(line => /^(done|would) /.test(line))

t.test('buckets, mappings, tasks and tokens, once', async t => {
  const server = await influx2(t)
  const credentials = join(t.testdir({}), 'made')
  const dry = await run(server, { credentials }, { dryRun: true })
  t.same(server.changes, [])
  t.match(dry, [/would {2}POST \/api\/v2\/buckets/])
  t.match(
    dry.find(line => line.includes('dbrps')),
    '"bucketID":"<id of flows>"',
  )
  const first = await run(server, { credentials })
  t.equal(done(first).length, done(dry).length)
  const { buckets, dbrps, tasks, authorizations } = server.state
  t.match(buckets, [
    { name: 'flows', retentionRules: [{ type: 'expire', everySeconds: 30 * DAY }] },
    { name: 'flows/sockflux_1m', retentionRules: [{ everySeconds: 180 * DAY }] },
    { name: 'flows/sockflux_1h', retentionRules: [{ everySeconds: 730 * DAY }] },
  ])
  t.match(
    dbrps,
    ['autogen', 'sockflux_1m', 'sockflux_1h'].map((policy, at) => ({
      ...{ database: 'flows', retention_policy: policy, default: at === 0, bucketID: buckets[at]!.id },
    })),
  )
  t.match(tasks, [{ name: 'sockflux_1m of flows' }, { name: 'sockflux_1h of flows' }])
  const [writer, reader] = authorizations
  const right = (item: typeof writer) =>
    (item!['permissions'] as { action: string; resource: { id: string } }[]).map(({ action, resource }) => [
      action,
      buckets.find(({ id }) => id === resource.id)?.['name'],
    ])
  t.same(right(writer), [['write', 'flows']])
  t.same(right(reader), [
    ['read', 'flows'],
    ['read', 'flows/sockflux_1m'],
    ['read', 'flows/sockflux_1h'],
  ])
  for (const [role, item] of [['writer', writer] as const, ['reader', reader] as const]) {
    const file = join(credentials, `${role}.token`)
    t.equal(readFileSync(file, 'utf8'), `${item?.['token']}\n`)
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.notOk(first.join().includes(String(item?.['token'])))
  }
  const before = structuredClone(server.state)
  t.equal((await run(server, { credentials })).at(-1), 'nothing to change')
  t.same(server.state, before)
})

t.test('the program of a task', async t => {
  const server = await influx2(t)
  await run(server, { database: `a "b" \${c}` })
  const [minutes, hours] = server.state.tasks.map(({ flux }) => String(flux))
  t.equal(
    minutes!.slice(0, minutes!.indexOf('    |> count()')),
    `import "date"

option task = {name: "sockflux_1m of a \\"b\\" \\\${c}", every: 30m, offset: 30s}

start = date.truncate(t: -151m, unit: 1m)
stop = date.truncate(t: now(), unit: 1m)

from(bucket: "a \\"b\\" \\\${c}")
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => (r._measurement == "container:tcp" and (r._field == "opened" or r._field == "closed" or r._field == "failed" or r._field == "failed_refused" or r._field == "failed_reset" or r._field == "failed_timeout" or r._field == "failed_unreachable" or r._field == "retransmits" or r._field == "data_segments_sent" or r._field == "data_segments_rcvd" or r._field == "out_of_order" or r._field == "ecn_marks" or r._field == "resets_sent" or r._field == "resets_rcvd")))
    |> aggregateWindow(every: 1m, fn: last, createEmpty: false, timeSrc: "_start")
    |> to(bucket: "a \\"b\\" \\\${c}/sockflux_1m")
`,
  )
  for (const fold of ['last', 'mean', 'max', 'min', 'sum'])
    t.equal(minutes!.split(`fn: ${fold},`).length, 2, `${fold} once`)
  t.match(hours, 'date.truncate(t: -4h, unit: 1h)')
  t.match(hours, 'every: 1h, fn: max')
  for (const { name, fields } of few)
    for (const field of fields) {
      t.match(minutes, `_measurement == "${name}"`)
      if (name !== 'host:cpu') t.match(minutes, `"${field.name}"`)
    }
  t.match(minutes, /r\._measurement == "host:cpu"\)/, 'a measurement of one fold needs no fields')
})

t.test(
  'what differs is altered, ours that is not wanted any more is removed, what is foreign stays',
  async t => {
    const server = await influx2(t)
    await run(server)
    const { buckets, tasks, dbrps } = server.state
    const foreign = ['mine', 'sockflux_1m of other', 'sockflux_weekly of flows', 'sockflux_1m'].map(name => ({
      ...{ id: newId(), name, flux: 'x', status: 'active' },
    }))
    tasks.push(...foreign)
    for (let n = 0; n < 150; n++) tasks.unshift({ id: newId(), name: `t${n}`, flux: '' })
    tasks.push({ id: newId(), name: 'sockflux_9m of flows', flux: 'x' })
    tasks.push({ id: newId(), name: 'sockflux_1m of flows', flux: 'a second one of the name' })
    const hours = tasks.find(({ name }) => name === 'sockflux_1h of flows')!
    hours['flux'] = 'edited'
    hours['status'] = 'inactive'
    buckets[1]!['retentionRules'] = [{ type: 'expire', everySeconds: 7 * DAY }]
    dbrps[0]!['default'] = false
    dbrps.unshift({ ...dbrps[1]!, id: newId(), virtual: true, bucketID: 'ffffffffffffffff' })
    const lines = await run(server)
    t.match(done(lines), [
      /PATCH \/api\/v2\/buckets\/\w+ .* -- bucket "flows\/sockflux_1m", was 1w$/,
      /PATCH \/api\/v2\/dbrps\/\w+\?orgID=\w+ {"default":true}$/,
      /DELETE \/api\/v2\/tasks\/\w+ -- task "sockflux_9m of flows"$/,
      /DELETE \/api\/v2\/tasks\/\w+ -- task "sockflux_1m of flows"$/,
      /PATCH \/api\/v2\/tasks\/\w+ .* -- task "sockflux_1h of flows"$/,
    ])
    for (const { id } of foreign) t.ok(tasks.some(task => task.id === id))
    t.equal(tasks.length, 150 + foreign.length + 2)
    hours['status'] = 'inactive'
    t.match(await run(server), [/^note {2}task "sockflux_1h of flows" is inactive/, 'nothing to change'])
  },
)

t.test('a shorter retention needs --shorten; a mapping to another bucket is not taken', async t => {
  const server = await influx2(t)
  server.state.buckets.push({ id: newId(), name: 'flows', retentionRules: [] })
  await t.rejects(run(server), {
    message: /^bucket "flows" keeps for ever, and 30d would delete what is older: give --shorten/,
  })
  t.same(server.changes, [])
  const shortened = await run(server, { shorten: true })
  t.match(shortened.at(-2), /^note {2}coarser series are new/)
  t.match(shortened, [/PATCH .*"everySeconds":2592000}\]} -- bucket "flows", was for ever/])
  t.match(await run(server, { keepRaw: Number.POSITIVE_INFINITY }), [/"everySeconds":0}/])
  server.state.dbrps[0]!['bucketID'] = newId()
  await t.rejects(run(server, { keepRaw: Number.POSITIVE_INFINITY }), {
    message: /^database "flows" with policy "autogen" is mapped to another bucket .*influx v1 dbrp delete/,
  })
})

t.test('off removes the task and leaves the bucket', async t => {
  const server = await influx2(t)
  await run(server)
  const lines = await run(server, { resolutions: resolutions('off') })
  t.match(lines, [/DELETE .* -- task "sockflux_1m of flows"$/, /^note {2}bucket "flows\/sockflux_1m" is off/])
  t.equal(server.state.buckets.length, 3)
})

t.test('token and file belong together', async t => {
  const server = await influx2(t)
  const credentials = t.testdir({})
  writeFileSync(join(credentials, 'reader.token'), 'x\n')
  await t.rejects(run(server, { credentials }), {
    message:
      /^token "sockflux reader of flows" is not in InfluxDB at .*, but there is .*reader\.token: remove/,
  })
  await run(server, { credentials: join(credentials, 'new') })
  await t.rejects(run(server, { credentials: join(credentials, 'other') }), {
    message: /^token "sockflux writer of flows" is in InfluxDB at .*, but not in .*: write the token into/,
  })
  t.notOk(existsSync(join(credentials, 'other', 'writer.token')))
})

t.test('--backfill sends the tasks’ program with its times, and reads errors in its answer', async t => {
  const server = await influx2(t)
  await run(server)
  const backfill = { from: '2d', to: undefined }
  server.csv = ',result,table,_value\r\n,last,0,12\r\n\r\n,result,table,_value\r\n,mean,0,30\r\n\r\n'
  const lines = await run(server, {}, { backfill })
  t.match(lines.at(-1), /: 84 points$/)
  t.match(
    server.queries[0],
    /range\(start: \d{4}-\d\d-\d\dT\d\d:00:00\.000Z, stop: \d{4}-\d\d-\d\dT\d\d:00:00\.000Z\)/,
  )
  t.notMatch(server.queries[0], /option task/)
  server.csv = 'error,reference\r\n"runtime error: bucket is gone",897\r\n'
  await t.rejects(run(server, {}, { backfill }), {
    message: /^InfluxDB at .* did not compute coarser series: "runtime error: bucket is gone",897; look into/,
  })
})

t.test('organisation and token', async t => {
  const server = await influx2(t)
  await t.rejects(run(server, { org: undefined }), { message: /needs the organisation: give --influx-org/ })
  await t.rejects(run(server, { org: 'other' }), {
    message: /cannot find organisation "other", as it does not know it: correct --influx-url, --influx-org/,
  })
  await t.rejects(setup(server.url, { wanted: { org }, connection: { token: 'wrong' } }), {
    message: /refuses the login .*INFLUX_TOKEN/,
  })
})
