/** Servers, and proxies in front of them, that do what they should not: each question ends, and facts go on. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { Api } from '../../../../collector/cluster/api/api.ts'
import { getDocument, getLines } from '../../../../collector/cluster/api/requests.ts'
import { Held } from '../../../../collector/cluster/held/held.ts'
import { listen } from '../../../harness/http_server.ts'
import { pod } from '../../../harness/kubernetes/objects.ts'
import { until } from '../../../harness/until.ts'

const asked = () => ({ path: '/api', accept: 'application/json', signal: new AbortController().signal })
const access = (url: string) => ({ url: new URL(url), headers: {} })

/** Writes this every few milliseconds, without an end. */
const drip = (response: ServerResponse, text: string) => {
  const timer = setInterval(() => response.write(text), 5)
  response.on('close', () => clearInterval(timer))
}

for (const [what, answer, says] of [
  [
    'drips a document',
    (response: ServerResponse) => drip(response.writeHead(200), ' '),
    /did not end within 0 s/,
  ],
  [
    'drips a refusal',
    (response: ServerResponse) => drip(response.writeHead(403), ' '),
    /did not end within 0 s/,
  ],
  [
    'refuses at length',
    (response: ServerResponse) => drip(response.writeHead(403), 'x'.repeat(3000)),
    /HTTP 403/,
  ],
  [
    'goes on and on before the answer',
    ({ socket }: ServerResponse) => {
      const timer = setInterval(() => socket?.write('HTTP/1.1 100 Continue\r\n\r\n'), 5)
      socket?.on('close', () => clearInterval(timer))
    },
    /did not end within 0 s/,
  ],
  [
    'changes the protocol',
    ({ socket }: ServerResponse) =>
      socket?.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello',
      ),
    /HTTP 101/,
  ],
  [
    'sends us elsewhere',
    (response: ServerResponse) => response.writeHead(302, { location: 'https://x/' }).end(),
    /HTTP 302: it sends us to https:\/\/x\/, which is not followed/,
  ],
  ['is none', ({ socket }: ServerResponse) => socket?.end('SSH-2.0-OpenSSH\r\n'), /Parse Error/],
  [
    'has headers without an end',
    ({ socket }: ServerResponse) => socket?.write(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}`),
    /Header overflow/,
  ],
  [
    'promises more than it gives',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '100' }).write('{}')
      setTimeout(() => response.destroy(), 20)
    },
    /closed the connection|aborted/,
  ],
] as const)
  t.test(`a server that ${what} is left`, async t => {
    const url = await listen(t, (_, response) => void answer(response))
    const limits = {
      silenceMs: 5000,
      wholeMs: what.includes('drips') || what.includes('goes on') ? 200 : 5000,
    }
    await t.rejects(getDocument(access(url), asked(), limits), { message: says })
  })

t.test('a stream that is never silent and never ends is ended, which is no error', async t => {
  const url = await listen(t, (_, response) => drip(response.writeHead(200), '\n{"a":1}\n'))
  const lines: unknown[] = []
  await getLines(access(url), asked(), 1000, line => lines.push(line))
  t.same(lines[0], { a: 1 })
})

t.test('a stream that is silent is an error', async t => {
  const url = await listen(t, (_, response) => response.writeHead(200).flushHeaders())
  await t.rejects(
    getLines(access(url), asked(), 50, () => {}),
    { message: /it was silent/ },
  )
})

/** Of pods: a list of one, `old` at first, and this for each watch at its version. */
async function restored(t: Test, watch: (response: ServerResponse) => void) {
  let lists = 0
  const url = await listen(t, (request: IncomingMessage, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams
    const isPods = request.url?.includes('/pods')
    if (!query.has('watch')) {
      const name = isPods && lists++ === 0 ? 'old' : 'new'
      const metadata = { resourceVersion: name === 'old' ? '1000' : '5' }
      response.end(JSON.stringify({ metadata, items: isPods ? [pod({ name, ip: '10.0.0.1' })] : [] }))
    } else if (query.get('resourceVersion') === '1000') watch(response)
    else response.writeHead(200).flushHeaders()
  })
  const held = new Held()
  const server = { name: url, access: () => access(url) }
  const source = new Api(server, { warn: () => {} }, { watchS: 300, firstMs: 10, mostMs: 20 })
  source.start(held)
  t.teardown(() => source.close())
  await until('the first', () => held.podByUid('uid-old') !== undefined)
  await until('the other', () => held.podByAddress('10.0.0.1', Date.now())?.name === 'new')
}

const event = (code: number) =>
  `${JSON.stringify({ type: 'ERROR', object: { code, message: 'Too large resource version: 1000, current: 5' } })}\n`
for (const [what, watch] of [
  ['an event that it is too large', (response: ServerResponse) => response.writeHead(200).end(event(504))],
  ['a status', (response: ServerResponse) => response.writeHead(500).end('{}')],
  ['no events', (response: ServerResponse) => response.writeHead(200).end('<html>\n')],
  [
    'an event without an end',
    (response: ServerResponse) => drip(response.writeHead(200), 'x'.repeat(2 ** 20)),
  ],
] as const)
  t.test(`a version that the server answers with ${what}, again and again, begins with a list`, async t => {
    await restored(t, watch)
  })

t.test('a server that is full is not asked for lists', async t => {
  const paths: string[] = []
  const url = await listen(t, ({ url = '' }, response) => {
    paths.push(url)
    if (url.includes('watch=')) response.writeHead(429).end()
    else response.end('{"metadata":{"resourceVersion":"5"},"items":[]}')
  })
  const server = { name: url, access: () => access(url) }
  const source = new Api(server, { warn: () => {} }, { watchS: 300, firstMs: 10, mostMs: 20 })
  source.start(new Held())
  t.teardown(() => source.close())
  await until('many questions', () => paths.filter(path => path.includes('/pods?watch=')).length > 8)
  t.equal(paths.filter(path => path.includes('/pods?limit=')).length, 1)
})
