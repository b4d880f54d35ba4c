import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ask } from '../../../cli/client.ts'
import { Problem } from '../../../collector/routes.ts'
import { serve } from '../../../collector/serve/server.ts'
import { temporary } from '../../harness/embedded.ts'

t.test('routes answer JSON; only the owner may open the socket; closing removes it', async t => {
  const path = join(await temporary(t), 'socket')
  const server = await serve(path, {
    'GET /top': async ({ url }) => ({ n: url.searchParams.get('n') }),
    'POST /echo': async ({ body }) => body,
    'GET /no': async () => {
      throw new Problem(418, 'no coffee here')
    },
  })
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(await ask(path, 'GET', '/top?n=3'), { status: 200, body: '{"n":"3"}' })
  t.same(await ask(path, 'POST', '/echo', { a: 1 }), { status: 200, body: '{"a":1}' })
  t.same(await ask(path, 'GET', '/no'), { status: 418, body: '{"error":"no coffee here"}' })
  t.match(await ask(path, 'GET', '/echo'), { status: 404 })
  t.match(await ask(path, 'POST', '/echo', 'x'.repeat(2_000_000)), { status: 413 })
  await server.close()
  t.notOk(existsSync(path))
})

t.test('an answer that is not JSON is an error for the client alone', async t => {
  const path = join(await temporary(t), 'socket')
  const server = await serve(path, {
    'GET /long': async () => new Array(10_000).fill('\u0001'.repeat(9200)),
    'GET /': async () => 'alive',
  })
  t.match(await ask(path, 'GET', '/long'), { status: 500, body: /Invalid string length/ })
  t.match(await ask(path, 'GET', '/'), { body: '"alive"' })
  await server.close()
})

t.test('the socket of a running server is refused with the reason', async t => {
  const path = join(await temporary(t), 'socket')
  const server = await serve(path, {})
  await t.rejects(serve(path, {}), {
    message: `another collector answers at ${path}: stop it or give this one another socket`,
  })
  await server.close()
})

t.test('the socket of a killed process is replaced', async t => {
  const path = join(await temporary(t), 'socket')
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.ok(existsSync(path))
  const server = await serve(path, { 'GET /': async () => 'alive' })
  t.match(await ask(path, 'GET', '/'), { body: '"alive"' })
  await server.close()
})

t.test('a file that is no socket is left alone', async t => {
  const path = join(await temporary(t), 'socket')
  writeFileSync(path, 'mine')
  await t.rejects(serve(path, {}), { message: /is not a socket/ })
  t.ok(existsSync(path))
})

t.test('the request of a client that goes away is aborted', async t => {
  const path = join(await temporary(t), 'socket')
  const gone = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const server = await serve(path, {
    'GET /slow': ({ signal }) => {
      signal.addEventListener('abort', () => gone.resolve())
      started.resolve()
      return gone.promise
    },
  })
  const curl = spawn('curl', ['-s', '--unix-socket', path, 'http://localhost/slow'], { stdio: 'ignore' })
  await started.promise
  curl.kill('SIGKILL')
  await gone.promise
  await server.close()
})
