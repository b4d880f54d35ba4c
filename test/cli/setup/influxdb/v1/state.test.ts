import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { catalogue, metricsOf } from '../../../../../collector/metrics/catalogue.ts'
import { admin, type Influx, startInflux } from '../../../../harness/influx.ts'
import { ended, SOCKFLUX } from '../../../../harness/sockflux.ts'
import { DAY, few, resolutions, setup } from '../given.ts'

t.jobs = 3

async function influx(t: Test, options?: Parameters<typeof startInflux>[0]): Promise<Influx> {
  const server = await startInflux(options)
  t.teardown(() => server.remove())
  return server
}

const grantOf = ({ privilege, database }: Record<string, unknown>) => `${privilege} ON ${database}`

/** Everything that the set-up may change. */
async function state(server: Influx, database = 'flows') {
  const name = `"${database.replace(/["\\]/g, '\\$&')}"`
  const users = await server.query('SHOW USERS')
  const grants = users.map(({ user }) =>
    server.query(`SHOW GRANTS FOR "${String(user).replace(/["\\]/g, '\\$&')}"`),
  )
  return {
    databases: await server.query('SHOW DATABASES'),
    policies: await server.query(`SHOW RETENTION POLICIES ON ${name}`),
    queries: await server.query('SHOW CONTINUOUS QUERIES'),
    users,
    grants: await Promise.all(grants),
  }
}

t.test(
  'the command twice: the second one changes nothing; all measurements are in both resolutions',
  async t => {
    const server = await influx(t)
    const credentials = join(t.testdir({}), 'made')
    const words = ['setup', 'influxdb', '--influx-url', server.url, '--credentials', credentials]
    const dry = await ended([...SOCKFLUX, ...words, '--dry-run'])
    t.equal(dry.code, 0, dry.stderr)
    t.same(await server.query('SHOW DATABASES'), [], 'a dry run does nothing')
    const first = await ended([...SOCKFLUX, ...words])
    t.equal(first.code, 0, first.stderr)
    const made = (text: string) => text.split('\n').filter(line => /^(would|done) /.test(line))
    t.same(
      made(first.stdout).map(line => line.replace(/^\w+ +/, '')),
      made(dry.stdout).map(line => line.replace(/^\w+ +/, '')),
      'a dry run prints what is done',
    )
    const before = await state(server, 'sockflux')
    t.match(before.policies, [
      { name: 'autogen', duration: '720h0m0s', default: true },
      { name: 'sockflux_1m', duration: '4320h0m0s', default: false },
      { name: 'sockflux_1h', duration: '17520h0m0s', default: false },
    ])
    t.equal(before.queries.length, 2 * catalogue.length)
    for (const { query } of before.queries) t.match(query, /RESAMPLE EVERY (30m FOR 151m|1h FOR 4h) BEGIN/)
    t.same(
      before.users.map(({ user, admin }, at) => [user, admin, ...before.grants[at]!.map(grantOf)]),
      [
        ['sockflux_writer', false, 'WRITE ON sockflux'],
        ['sockflux_reader', false, 'READ ON sockflux'],
      ],
    )
    const second = await ended([...SOCKFLUX, ...words])
    t.match(second.stdout, /^nothing to change$/m)
    t.notMatch(second.stdout, /^done/m)
    t.same(await state(server, 'sockflux'), before)
    for (const role of ['writer', 'reader']) {
      const file = join(credentials, `${role}.password`)
      t.equal(statSync(file).mode & 0o777, 0o600)
      const secret = readFileSync(file, 'utf8').trim()
      t.ok(secret.length >= 32)
      t.notOk([dry, first, second].some(({ stdout, stderr }) => (stdout + stderr).includes(secret)))
    }
  },
)

t.test('what differs is altered, what is foreign stays', async t => {
  const server = await influx(t)
  await setup(server.url)
  await server.query('CREATE RETENTION POLICY "mine" ON "flows" DURATION 2d REPLICATION 1')
  const select =
    'SELECT mean("a") AS "a" INTO "flows"."mine"."b" FROM "flows"."autogen"."b" GROUP BY time(1m)'
  const foreign = ['mine', 'sockflux_weekly', 'sockflux_1m', 'x_sockflux_1m_host:cpu']
  for (const name of foreign)
    await server.query(`CREATE CONTINUOUS QUERY "${name}" ON "flows" BEGIN ${select} END`)
  for (const name of ['sockflux_1m_pod:gone', 'sockflux_9m_host:cpu'])
    await server.query(`CREATE CONTINUOUS QUERY "${name}" ON "flows" BEGIN ${select} END`)
  await server.query('CREATE DATABASE "other"')
  await server.query(`CREATE CONTINUOUS QUERY "sockflux_1m_pod:gone" ON "other" BEGIN ${select} END`)
  await server.query('DROP CONTINUOUS QUERY "sockflux_1h_host:cpu" ON "flows"')
  await server.query('ALTER RETENTION POLICY "sockflux_1m" ON "flows" DURATION 7d')
  const lines = await setup(server.url, { wanted: { keepRaw: 60 * DAY } })
  t.match(lines, [
    'done  ALTER RETENTION POLICY "autogen" ON "flows" DURATION 60d -- was 30d',
    'done  ALTER RETENTION POLICY "sockflux_1m" ON "flows" DURATION 180d -- was 1w',
    /^done {2}DROP CONTINUOUS QUERY "sockflux_1m_pod:gone" ON "flows"$/,
    /^done {2}DROP CONTINUOUS QUERY "sockflux_9m_host:cpu" ON "flows"$/,
    /^done {2}CREATE CONTINUOUS QUERY "sockflux_1h_host:cpu"/,
    '5 changes made',
  ])
  const queries = (await server.query('SHOW CONTINUOUS QUERIES')).map(({ name }) => name)
  t.same(queries.filter(name => foreign.includes(String(name))).toSorted(), foreign.toSorted())
  t.equal(queries.filter(name => name === 'sockflux_1m_pod:gone').length, 1, 'that of another database stays')
  t.same(await setup(server.url, { wanted: { keepRaw: 60 * DAY } }), ['nothing to change'])
})

t.test('a query whose text differs is dropped and made again', async t => {
  const server = await influx(t)
  await setup(server.url)
  const rare = resolutions().map(one => ({ ...one, again: one.again + 3600 }))
  const lines = await setup(server.url, { wanted: { resolutions: rare } })
  t.equal(lines.at(-1), `${4 * few.length} changes made`)
  t.match(lines[0], /^done {2}DROP CONTINUOUS QUERY "sockflux_1m_/)
  t.match(lines[1], /^done {2}CREATE CONTINUOUS QUERY "sockflux_1m_.* FOR 211m /)
})

t.test('profile ntopng has its seven measurements in its own database', async t => {
  const server = await influx(t)
  const metrics = metricsOf('ntopng', [])
  await setup(server.url, { wanted: { database: 'ntopng', metrics } })
  t.same(
    (await server.query('SHOW CONTINUOUS QUERIES')).map(({ name }) => name).toSorted(),
    metrics.flatMap(({ name }) => [`sockflux_1h_${name}`, `sockflux_1m_${name}`]).toSorted(),
  )
})

t.test('a shorter retention deletes nothing by itself', async t => {
  const server = await influx(t)
  await server.query('CREATE DATABASE "flows"')
  const old = Math.floor(Date.now() / 1000) - 100 * DAY
  const write = await fetch(`${server.url}/write?db=flows&precision=s`, {
    method: 'POST',
    body: `a b=1 ${old}`,
  })
  t.equal(write.status, 204)
  const before = await state(server)
  await t.rejects(setup(server.url), {
    message:
      /^retention policy "autogen" of database "flows" keeps for ever and has data from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d that 30d would delete: give --shorten to delete it, or a longer --keep-raw$/,
  })
  t.same(await state(server), before, 'nothing was done before it')
  t.match(await setup(server.url, { wanted: { keepRaw: Number.POSITIVE_INFINITY } }), [/CREATE RETENTION/])
  t.equal((await server.query('SELECT * FROM a', 'flows')).length, 1)
  const lines = await setup(server.url, { wanted: { shorten: true } })
  t.match(lines, ['done  ALTER RETENTION POLICY "autogen" ON "flows" DURATION 30d -- was for ever'])
})

t.test('an empty policy, or one whose data is younger, is shortened', async t => {
  const server = await influx(t)
  await server.query('CREATE DATABASE "flows"')
  const now = Math.floor(Date.now() / 1000)
  await fetch(`${server.url}/write?db=flows&precision=s`, { method: 'POST', body: `a b=1 ${now}` })
  const lines = await setup(server.url)
  t.match(lines, [/^done {2}ALTER RETENTION POLICY "autogen"/])
  t.match(lines.at(-2), /^note {2}coarser series are new: .*--backfill/)
})

t.test('off and for ever; a policy of the collector with a name', async t => {
  const server = await influx(t)
  const off = resolutions('off', 'infinite')
  const wanted = { resolutions: off, policy: 'my "week', keepRaw: 7 * DAY }
  await setup(server.url, { wanted })
  t.match((await state(server)).policies, [
    { name: 'my "week', duration: '168h0m0s', default: true },
    { name: 'sockflux_1h', duration: '0s' },
  ])
  t.match((await server.query('SHOW CONTINUOUS QUERIES'))[0]?.query, /FROM flows\."my \\"week"\."/)
  t.same(await setup(server.url, { wanted }), ['nothing to change'])
  await setup(server.url, { wanted: { policy: 'my "week', keepRaw: 7 * DAY } })
  const again = await setup(server.url, { wanted })
  t.equal(again.filter(line => line.includes('DROP CONTINUOUS QUERY "sockflux_1m_')).length, few.length)
  t.match(again.at(-2), /^note {2}retention policy "sockflux_1m" is off.*DROP RETENTION POLICY/)
})

t.test('odd names of databases', async t => {
  const server = await influx(t)
  for (const database of [
    `it's "quoted"`,
    'blank and ünï — 日本',
    'select',
    "a'; DROP DATABASE x",
    '1m',
    'ON "x"',
  ]) {
    const wanted = { database, credentials: join(t.testdir({}), 'x') }
    await setup(server.url, { wanted })
    const before = await state(server, database)
    t.same((await setup(server.url, { wanted })).at(-1), 'nothing to change', database)
    t.same(await state(server, database), before, database)
  }
  await t.rejects(setup(server.url, { wanted: { database: 'a/b' } }), {
    message: /^InfluxDB at .* refuses CREATE DATABASE "a\/b".*: invalid name; correct the setting/,
  })
  await t.rejects(setup(server.url, { wanted: { database: 'a:b', credentials: t.testdir({}) } }), {
    message: /^--credentials: .*"a:b", and with a colon in it nobody can log in/,
  })
  await t.rejects(setup(server.url, { wanted: { policy: 'sockflux_1h' } }), {
    message: /^retention policy "sockflux_1h" of database "flows" is that of a coarser series/,
  })
})

t.test('with logins', async t => {
  const server = await influx(t, { auth: true })
  const credentials = t.testdir({})
  const wanted = { credentials }
  const connection = admin

  await t.test('the writer may only write, the reader may only read', async t => {
    await setup(server.url, { wanted, connection })
    const secret = (role: string) => readFileSync(join(credentials, `${role}.password`), 'utf8').trim()
    const as = (role: string) => ({
      headers: { authorization: `Basic ${Buffer.from(`flows_${role}:${secret(role)}`).toString('base64')}` },
    })
    const write = (role: string) =>
      fetch(`${server.url}/write?db=flows`, { method: 'POST', body: 'a b=1', ...as(role) })
    const read = async (role: string) => {
      const answer = await fetch(`${server.url}/query?db=flows&q=SELECT+*+FROM+a`, as(role))
      return answer.status
    }
    t.equal((await write('writer')).status, 204)
    t.equal((await write('reader')).status, 403)
    t.equal(await read('reader'), 200)
    t.equal(await read('writer'), 403)
    t.equal((await setup(server.url, { wanted, connection })).at(-1), 'nothing to change')
  })

  await t.test(
    'a password in the file that is another one is set; a user without a file is an error',
    async t => {
      const file = join(credentials, 'reader.password')
      writeFileSync(file, `o'ther "\\ pass\n`)
      const lines = await setup(server.url, { wanted, connection })
      t.same(
        lines.filter(line => line.startsWith('done')),
        [`done  SET PASSWORD FOR "flows_reader" = '********'`],
      )
      t.equal((await setup(server.url, { wanted, connection })).at(-1), 'nothing to change')
      const elsewhere = { credentials: t.testdir({}) }
      await t.rejects(setup(server.url, { wanted: elsewhere, connection }), {
        message:
          /^user "flows_(writer|reader)" is in InfluxDB at .*, but its password is not in .*: write it there, or run DROP USER/,
      })
    },
  )

  await t.test('who is no administrator is told which right is missing, and does nothing', async t => {
    const before = await state(server)
    const password = readFileSync(join(credentials, 'writer.password'), 'utf8').trim()
    await t.rejects(setup(server.url, { connection: { username: 'flows_writer', password } }), {
      message:
        /^user "flows_writer" may not run SHOW USERS in InfluxDB at .*: give the login of an administrator \(1\.x: ALL PRIVILEGES\)/,
    })
    await t.rejects(setup(server.url, { connection: { username: 'admin', password: 'hush' } }), {
      message: /^InfluxDB at .* refuses the login of user "admin": check INFLUX_USERNAME/,
    })
    await t.rejects(setup(server.url), { message: /refuses the login of a client without a user name/ })
    t.same(await state(server), before)
  })

  await t.test('a login in the url', async t => {
    const { host } = new URL(server.url)
    const url = `http://${admin.username}:${admin.password}@${host}`
    t.equal((await setup(url, { wanted })).at(-1), 'nothing to change')
  })
})
