import t, { type Test } from 'tap'
import { listen } from '../../../harness/http_server.ts'
import { DAY, setup } from './given.ts'

/** As docs.influxdata.com/influxdb3/core/api/database describes it: the list, and POST with `db` and `retention_period`. */
async function server(t: Test, databases: string[], shape: 'rows' | 'object') {
  const requests: unknown[] = []
  const url = await listen(t, async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const { method, url: path } = request
    if (path === '/ping') {
      response.writeHead(401, { 'x-influxdb-version': '3.8.0' }).end()
      return
    }
    if (request.headers.authorization !== 'Token t0ken') {
      response
        .writeHead(401, { 'content-type': 'application/json' })
        .end('{"error":"the request was not authenticated"}')
      return
    }
    const send = (status: number, value?: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(value && JSON.stringify(value))
    if (method === 'GET' && path === '/api/v3/configure/database?format=json')
      return send(200, shape === 'rows' ? databases.map(name => ({ 'iox::database': name })) : { databases })
    if (method === 'POST' && path === '/api/v3/configure/database') {
      const { db } = JSON.parse(body) as { db: string }
      if (request.headers['content-type'] !== 'application/json') return send(415)
      if (databases.includes(db))
        return send(409, { error: 'attempted to create a resource that already exists' })
      requests.push(JSON.parse(body))
      databases.push(db)
      return send(200)
    }
    return send(404, { error: 'not found' })
  })
  return { url, requests }
}

const connection = { token: 't0ken' }

t.test('3.x gets a database with its retention, once', async t => {
  for (const shape of ['rows', 'object'] as const) {
    const { url, requests } = await server(t, ['_internal'], shape)
    t.match(await setup(url, { connection, dryRun: true }), [
      'would  POST /api/v3/configure/database {"db":"flows","retention_period":"30d"}',
      /^note {2}InfluxDB 3\.x computes no coarser series/,
      '1 change to make; nothing was done (--dry-run)',
    ])
    t.same(requests, [])
    t.match((await setup(url, { connection })).at(-1), '1 change made')
    t.same(requests, [{ db: 'flows', retention_period: '30d' }])
    const second = await setup(url, { connection, wanted: { keepRaw: 90 * DAY, credentials: '/nowhere' } })
    t.match(second, [
      /^note {2}database "flows" is there and keeps the retention that it has.*update database --database flows --retention-period 90d/,
      /no coarser series/,
      /^note {2}--credentials: InfluxDB 3 Core has admin tokens only/,
      'nothing to change',
    ])
    t.equal(requests.length, 1)
  }
})

t.test('for ever is no retention period; odd names are sent as they are', async t => {
  const { url, requests } = await server(t, [], 'rows')
  const database = `a "b" 'c' ünï`
  await setup(url, { connection, wanted: { database, keepRaw: Number.POSITIVE_INFINITY } })
  t.same(requests, [{ db: database }])
})

t.test('a page in the place of the answer is no success', async t => {
  const url = await listen(t, ({ method, url }, response) => {
    const headers = {
      'x-influxdb-version': '3.8.0',
      'content-type': method === 'POST' ? 'text/html' : 'application/json',
    }
    response.writeHead(url === '/ping' ? 401 : 200, headers).end(method === 'POST' ? '<title>Login' : '[]')
  })
  await t.rejects(setup(url), {
    message: /answered 200 with text\/html \(<title>Login\): that is not InfluxDB/,
  })
})

t.test('a wrong token, and what 3.x does not have', async t => {
  const { url } = await server(t, ['flows'], 'rows')
  await t.rejects(setup(url, { connection: { token: 'wrong' } }), { message: /refuses the login/ })
  await t.rejects(setup(url, { connection, backfill: { from: '3d', to: undefined } }), {
    message: '--backfill: InfluxDB 3.8.0 has no coarser series',
  })
})
