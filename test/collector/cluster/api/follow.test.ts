import t, { type Test } from 'tap'
import { Api } from '../../../../collector/cluster/api/api.ts'
import type { Access, Server } from '../../../../collector/cluster/api/server.ts'
import { Held } from '../../../../collector/cluster/held/held.ts'
import { KIND_NAMES } from '../../../../collector/cluster/kinds.ts'
import { listen } from '../../../harness/http_server.ts'
import { ApiServer } from '../../../harness/kubernetes/api_server.ts'
import { node, owned, pod, service } from '../../../harness/kubernetes/objects.ts'
import { until } from '../../../harness/until.ts'

const QUICK = { watchS: 300, firstMs: 20, mostMs: 100 }

interface Following {
  readonly held: Held
  readonly source: Api
  /** Reasons of warnings, and their words. */
  readonly warned: [string, string][]
}

function follow(t: Test, url: string, access: Partial<Access> = {}, times = QUICK): Following {
  const warned: [string, string][] = []
  const held = new Held()
  const server: Server = { name: url, access: () => ({ url: new URL(url), headers: {}, ...access }) }
  const source = new Api(server, { warn: (reason, text) => warned.push([reason, text]) }, times)
  source.start(held)
  t.teardown(() => source.close())
  return { held, source, warned }
}

const listsOf = (api: ApiServer, resource: string): string[] =>
  api.asked.filter(path => path.includes(`/${resource}?`) && !/watch=1|limit=1$/.test(path))
const lastWatch = (api: ApiServer, resource: string): URLSearchParams => {
  const path = api.asked.findLast(path => path.includes(`/${resource}?`) && path.includes('watch=1'))
  return new URL(path!, 'http://x').searchParams
}
const names = async (what: string, held: Held, expected: readonly string[], all: readonly string[]) =>
  until(what, () =>
    all.every(name => (held.podByUid(`uid-${name}`) !== undefined) === expected.includes(name)),
  )

t.test('a list in pages, then every change', async t => {
  const api = await ApiServer.start(t)
  for (let at = 0; at < 1203; at++) api.set('Pod', pod({ name: `p${at}`, ip: `10.0.${at >> 8}.${at & 255}` }))
  const { held, warned } = follow(t, api.url)
  await until('all pods', () => held.sizes().Pod === 1203)
  await until('the watch', () => api.watching('Pod') === 1)
  const lists = listsOf(api, 'pods').map(path => new URL(path, 'http://x').searchParams)
  t.equal(lists.length, 3)
  t.ok(lists.every(query => query.get('limit') === '500'))
  t.same(
    lists.map(query => query.has('continue')),
    [false, true, true],
  )

  api.set('Pod', pod({ name: 'new', ip: '10.9.9.9' }))
  await until('the new pod', () => held.podByAddress('10.9.9.9', Date.now())?.name === 'new')
  api.set('Pod', pod({ name: 'new', ip: '10.9.9.9', labels: { app: 'other' } }))
  await until('its new label', () => held.podByUid('uid-new')?.labels['app'] === 'other')
  api.delete('Pod', 'default', 'new')
  await until('its end', () => held.podByAddress('10.9.9.9', Date.now()) === undefined)
  t.equal(held.sizes().Pod, 1203)
  t.same(warned, [])
})

t.test('every kind is followed; of some the metadata is all that is asked for', async t => {
  const api = await ApiServer.start(t)
  api.set('Node', node('node-a', '192.168.0.1'))
  api.set('ReplicaSet', owned('ReplicaSet', 'web-1', ['Rollout', 'web']))
  api.set('Pod', pod({ name: 'web', owner: ['ReplicaSet', 'web-1'] }))
  api.set('Service', service('web', '10.96.0.1', [{ port: 80 }]))
  const { held } = follow(t, api.url)
  await until('all watches', () => KIND_NAMES.every(kind => api.watching(kind) === 1))
  t.same(held.podByUid('uid-web')?.workload, { kind: 'Rollout', name: 'web' })
  t.equal(held.serviceByAddress('10.96.0.1', 80, 'tcp', Date.now())?.name, 'web')
})

for (const hard of [true, false])
  t.test(`a watch that ${hard ? 'breaks' : 'ends'} goes on where it was, without a list`, async t => {
    const api = await ApiServer.start(t)
    api.set('Pod', pod({ name: 'a' }))
    const { held, source } = follow(t, api.url)
    await until('the watch', () => api.watching('Pod') === 1)
    api.disconnect('Pod', hard)
    api.set('Pod', pod({ name: 'b' }))
    api.delete('Pod', 'default', 'a')
    await names('both changes', held, ['a', 'b'], ['b'])
    await until('the end of a', () => held.sizes().Pod === 1)
    t.equal(listsOf(api, 'pods').length, 1)
    t.equal(source.unanswered > 0, hard, 'a watch that the server ends is normal')
  })

t.test('a bookmark keeps the version young', async t => {
  const api = await ApiServer.start(t)
  api.set('Pod', pod({ name: 'a' }))
  const { held } = follow(t, api.url)
  await until('the watch', () => api.watching('Pod') === 1)
  t.equal(lastWatch(api, 'pods').get('allowWatchBookmarks'), 'true')
  const before = Number(lastWatch(api, 'pods').get('resourceVersion'))
  for (let at = 0; at < 20; at++) api.set('Node', node(`n${at}`, `192.168.0.${at}`))
  api.bookmark('Pod')
  // what is older is gone: without the bookmark it would have to list
  api.compact('Pod')
  api.disconnect('Pod', false)
  await until('the next watch', () => api.watching('Pod') === 1)
  t.ok(Number(lastWatch(api, 'pods').get('resourceVersion')) > before)
  t.equal(listsOf(api, 'pods').length, 1)
  api.set('Pod', pod({ name: 'b' }))
  await names('b', held, ['b'], ['b'])
  t.equal(held.bad, 0)
})

t.test('410 Gone: a list begins again, and what went meanwhile is gone', async t => {
  const api = await ApiServer.start(t)
  for (const [name, ip] of [
    ['a', '10.0.0.1'],
    ['b', '10.0.0.2'],
  ] as const)
    api.set('Pod', pod({ name, ip }))
  const { held, warned } = follow(t, api.url)
  await until('the watch', () => api.watching('Pod') === 1)
  api.disconnect('Pod')
  api.delete('Pod', 'default', 'a')
  api.set('Pod', pod({ name: 'c', ip: '10.0.0.3' }))
  api.compact('Pod')
  await until('c', () => held.podByAddress('10.0.0.3', Date.now())?.name === 'c')
  t.equal(listsOf(api, 'pods').length, 2)
  t.equal(held.podByAddress('10.0.0.1', Date.now()), undefined)
  t.equal(held.podByAddress('10.0.0.1', Date.now() - 60_000)?.name, 'a', 'it is remembered')
  t.equal(held.podByAddress('10.0.0.2', Date.now())?.name, 'b')
  t.notOk(
    warned.some(([, text]) => text.includes('410')),
    'once is normal',
  )
})

for (const ahead of ['silent', 'refused', 'event'] as const)
  t.test(`a server that was restored from a backup: ${ahead}, at a watch from what it has lost`, async t => {
    const api = await ApiServer.start(t)
    api.ahead = ahead
    const old = pod({ name: 'old', ip: '10.0.0.1' })
    api.set('Pod', old)
    for (let at = 0; at < 50; at++) api.set('Pod', pod({ name: 'lost', labels: { at: String(at) } }))
    api.longestS = 1
    const { held, source } = follow(t, api.url)
    await until('the watch', () => api.watching('Pod') === 1 && held.podByUid('uid-lost'))
    api.restore('Pod', [old], 40)
    api.disconnect('Pod')
    api.set('Pod', pod({ name: 'new', ip: '10.0.0.2' }))
    await until('what it has now', () => held.podByAddress('10.0.0.2', Date.now())?.name === 'new')
    await until('the end of what it has lost', () => held.sizes().Pod === 2)
    t.equal(listsOf(api, 'pods').length, 2)
    t.ok(source.unanswered < 5)
  })

for (const [what, type] of [
  ['a bookmark', 'BOOKMARK'],
  ['an event', 'MODIFIED'],
] as const)
  t.test(`${what} of a version that is older than ours: a list begins again`, async t => {
    let lists = 0
    const url = await listen(t, (request, response) => {
      const isPods = request.url?.includes('/pods?') ?? false
      if (!request.url?.includes('watch=1')) {
        if (isPods) lists++
        const metadata = { resourceVersion: lists > 1 ? '90' : '120' }
        response.end(JSON.stringify({ metadata, items: lists > 1 ? [pod({ name: 'b' })] : [] }))
        return
      }
      response.writeHead(200).flushHeaders()
      const metadata = { ...pod({ name: 'b' }).metadata, resourceVersion: '80' }
      if (isPods && lists === 1) response.write(`${JSON.stringify({ type, object: { metadata } })}\n`)
    })
    const { held } = follow(t, url)
    await names('b', held, ['b'], ['b'])
    t.equal(lists, 2)
  })

t.test('old servers give what is deleted with the version that it had: that is no way back', async t => {
  let lists = 0
  const url = await listen(t, (request, response) => {
    const isPods = request.url?.includes('/pods?') ?? false
    if (!request.url?.includes('watch=1')) {
      if (isPods) lists++
      response.end(JSON.stringify({ metadata: { resourceVersion: '120' }, items: [pod({ name: 'a' })] }))
      return
    }
    response.writeHead(200).flushHeaders()
    const gone = { ...pod({ name: 'a' }).metadata, resourceVersion: '80' }
    if (isPods) response.write(`${JSON.stringify({ type: 'DELETED', object: { metadata: gone } })}\n`)
  })
  const { held, warned } = follow(t, url)
  await until('its end', () => lists === 1 && held.sizes().Pod === 0 && held.podByUid('uid-a') !== undefined)
  t.same(warned, [])
})

t.test('a list whose pages expire begins again', async t => {
  const api = await ApiServer.start(t)
  for (let at = 0; at < 900; at++) api.set('Pod', pod({ name: `p${at}` }))
  const held = new Held()
  // the version goes while the first page is read
  const set = held.set.bind(held)
  let isFirst = true
  held.set = (kind, object, atMs) => {
    if (kind === 'Pod' && isFirst) {
      isFirst = false
      api.compact('Pod')
    }
    return set(kind, object, atMs)
  }
  const server: Server = { name: api.url, access: () => ({ url: new URL(api.url), headers: {} }) }
  const source = new Api(server, { warn: () => {} }, QUICK)
  t.teardown(() => source.close())
  source.start(held)
  await until('all pods', () => held.sizes().Pod === 900)
  await until('the watch', () => api.watching('Pod') === 1)
  const pages = listsOf(api, 'pods').map(path => path.includes('continue='))
  t.same(pages, [false, true, false, true])
})

t.test(
  'one kind that is forbidden does not hold up the others, and the log says which right it takes',
  async t => {
    const api = await ApiServer.start(t)
    api.set('Pod', pod({ name: 'a' }))
    api.refused.set('nodes', 403)
    const { held, source, warned } = follow(t, api.url)
    await names('a', held, ['a'], ['a'])
    const [, text] = await until('the warning', () => warned.find(([reason]) => reason === 'cluster_nodes'))
    t.match(text, /gave no nodes \(HTTP 403: nodes is forbidden.*right to list and watch nodes.*next try in/)
    t.ok(source.unanswered > 0)
    api.refused.delete('nodes')
    api.set('Node', node('node-a', '192.168.0.1'))
    await until('the node', () => held.nodeByName('node-a'))
  },
)

t.test('an older server has no ServiceCIDR: that is no fault', async t => {
  const api = await ApiServer.start(t)
  api.refused.set('servicecidrs', 404)
  const { source, warned } = follow(t, api.url)
  await until('the others', () => api.watching('Pod') === 1 && api.watching('Service') === 1)
  await until('a second try', () => listsOf(api, 'servicecidrs').length > 1)
  t.same(warned, [])
  t.equal(source.unanswered, 0)
})

t.test('a token that was renewed is used with the next request', async t => {
  const api = await ApiServer.start(t)
  api.token = 'new'
  let token = 'old'
  const held = new Held()
  const warned: string[] = []
  const server: Server = {
    name: api.url,
    access: () => ({ url: new URL(api.url), headers: { authorization: `Bearer ${token}` } }),
  }
  const source = new Api(server, { warn: (_, text) => warned.push(text) }, QUICK)
  t.teardown(() => source.close())
  source.start(held)
  const refusal = await until('a refusal', () => warned.find(text => text.includes('HTTP 401')))
  t.match(refusal, /its token or certificate is not valid, or not any more/)
  t.notMatch(refusal, /the right to list/)
  token = 'new'
  await until('the watch', () => api.watching('Pod') === 1)
})

t.test('a server that is reached below a path', async t => {
  const api = await ApiServer.start(t)
  const paths: (string | undefined)[] = []
  const proxy = await listen(t, (request, response) => {
    paths.push(request.url)
    response.writeHead(302, { location: api.url }).end()
  })
  const { source } = follow(t, `${proxy}/k8s/clusters/c-1/`)
  await until('a question', () => paths.length > 0)
  t.match(paths[0], /^\/k8s\/clusters\/c-1\/api\/v1\//)
  await until('a refusal', () => source.unanswered > 0)
})

for (const [what, answer] of [
  ['no JSON', 'this is a login page'],
  ['another document', '{"kind":"Status"}'],
  ['a list of nothing', '{"metadata":{"resourceVersion":"1"},"items":[null,4,{"metadata":{}}]}'],
  ['the middle of a document', '{"metadata":{"resourceVersion":"1"},"it'],
] as const)
  t.test(`a server that answers with ${what} is asked again, with pauses`, async t => {
    let asked = 0
    const url = await listen(t, (_, response) => {
      asked++
      response.end(answer)
    })
    const { held } = follow(t, url)
    await until('several questions', () => asked > 12)
    t.equal(held.sizes().Pod, 0)
  })

t.test('a server that says nothing is left, and closing does not wait for it', async t => {
  const url = await listen(t, () => {})
  const { source } = follow(t, url)
  await source.close()
  t.pass('closed')
})

t.test('events that are none are counted or refused; those after them come', async t => {
  let watches = 0
  const url = await listen(t, (request, response) => {
    if (!request.url?.includes('watch=1')) {
      response.end('{"metadata":{"resourceVersion":"5"},"items":[]}')
      return
    }
    if (!request.url.includes('/pods')) {
      response.writeHead(200).flushHeaders()
      return
    }
    watches++
    const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`
    if (watches === 1) response.end(`${event('ADDED', pod({ name: 'a' }))}{"type":`)
    else if (watches === 2) response.end(event('NEWTYPE', { x: 1 }) + event('ADDED', null))
    else if (watches === 3) response.end(event('ERROR', { code: 500, message: 'etcd is away' }))
    else {
      response.write(event('ADDED', pod({ name: 'b' })).slice(0, 40))
      setTimeout(() => response.write(event('ADDED', pod({ name: 'b' })).slice(40)), 50)
    }
  })
  const { held, warned } = follow(t, url)
  await names('both pods', held, ['a', 'b'], ['a', 'b'])
  t.equal(held.bad, 1)
  t.ok(warned.some(([, text]) => text.includes('etcd is away')))
})
