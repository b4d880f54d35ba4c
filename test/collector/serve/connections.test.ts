import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ask } from '../../../cli/client.ts'
import { serve, serveHttp } from '../../../collector/serve/server.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'
import { until } from '../../harness/until.ts'

/** So many connections that send this and no more. */
async function idlers(t: Test, count: number, to: { port: number } | { path: string }, text: string) {
  const sockets: Socket[] = []
  for (let index = 0; index < count; index++) {
    const socket = connect(to as { port: number; host?: string })
    socket.on('error', () => {}).resume()
    sockets.push(socket)
    await once(socket, 'connect')
    if (text) socket.write(text)
  }
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  return { open: () => sockets.filter(socket => !socket.destroyed).length, sockets }
}

for (const text of ['', 'GET /page HTTP/1.1\r\nhost: x\r\n', 'GET /page HTTP/1.1\r\nhost: x\r\n\r\n'])
  t.test(`a hundred connections that send ${JSON.stringify(text)} keep no scraper away`, async t => {
    const go = Promise.withResolvers<void>()
    const slow = async function* () {
      yield 'begin '
      await go.promise
      yield 'end'
    }
    const pages = { '/page': () => ({ body: 'page' }), '/slow': () => ({ body: slow() }) }
    const server = await serveHttp({ host: '127.0.0.1', port: 0 }, pages)
    t.teardown(() => server.close())
    const answering = await fetch(`${server.url}/slow`)
    const { open } = await idlers(t, 100, { port: Number(new URL(server.url).port) }, text)
    t.equal(await (await fetch(`${server.url}/page`)).text(), 'page')
    await until('the oldest are closed', () => open() <= 16)
    go.resolve()
    t.equal(await answering.text(), 'begin end', 'an answer that is on its way is not broken off')
  })

t.test('a thousand idle connections to the unix socket block no query', async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const path = join(await scratch(cleanup, 'connections'), 's')
  const server = await serve(path, { 'GET /top': async () => 'top' })
  cleanup.defer(() => server.close())
  const { open } = await idlers(t, 1000, { path }, '')
  t.equal((await ask(path, 'GET', '/top')).status, 200)
  await until('the oldest are closed', () => open() <= 64)
})
