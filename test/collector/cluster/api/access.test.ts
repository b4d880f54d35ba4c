import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { basename, join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { kubeconfig } from '../../../../collector/cluster/api/kubeconfig.ts'
import { getDocument } from '../../../../collector/cluster/api/requests.ts'
import { inCluster } from '../../../../collector/cluster/api/server.ts'
import { Cluster } from '../../../../collector/cluster/cluster.ts'
import { selfSigned } from '../../../harness/certificate.ts'
import { needs } from '../../../harness/skip.ts'

const config = (cluster: object, user: object) => ({
  ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
  contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
  users: [{ name: 'u', user }],
})
const base64 = (text: string) => Buffer.from(text).toString('base64')

t.test('a kubeconfig: certificates and tokens, in it and beside it', { skip: needs('openssl') }, async t => {
  const directory = t.testdir({ token: 'from-a-file\n' })
  const { certificate, key: keyFile } = selfSigned(directory, 'ca', ['DNS:kubernetes'])
  const [ca, key] = [certificate, keyFile].map(path => readFileSync(path, 'utf8'))
  const path = join(directory, 'config')
  const access = (cluster: object, user: object) => {
    writeFileSync(path, stringify(config(cluster, user)))
    return kubeconfig(path).access()
  }
  t.same(access({ 'certificate-authority': basename(certificate) }, { token: 'abc' }), {
    url: new URL('https://10.0.0.1:6443'),
    headers: { authorization: 'Bearer abc' },
    ca,
  })
  t.same(
    access(
      { 'certificate-authority-data': base64(ca!), 'tls-server-name': 'kubernetes' },
      { 'client-certificate-data': base64(ca!), 'client-key-data': base64(key!) },
    ),
    {
      ...{ url: new URL('https://10.0.0.1:6443'), headers: {}, ca, cert: ca, key },
      servername: 'kubernetes',
    },
  )
  t.equal(access({}, { tokenFile: 'token' }).headers['authorization'], 'Bearer from-a-file')
})

for (const [what, text, says] of [
  ['is no YAML', 'a: [', /the kubeconfig .*config cannot be used: .*line 1/],
  ['has no context', stringify({ ...config({}, {}), 'current-context': '' }), /no current-context/],
  ['names another context', stringify({ ...config({}, {}), 'current-context': 'x' }), /contexts has no x/],
  ['has no cluster', stringify({ ...config({}, {}), clusters: [] }), /clusters has no c/],
  ['has no users', stringify({ ...config({}, {}), users: 'x' }), /users has no u/],
  ['has no server', stringify(config({ server: '' }, {})), /server is missing/],
  ['has another server', stringify(config({ server: 'ftp://x' }, {})), /server is ftp:\/\/x/],
  [
    'runs a program',
    stringify(config({}, { exec: { command: 'aws' } })),
    /exec is not supported: give a token/,
  ],
  [
    'verifies nothing',
    stringify(config({ 'insecure-skip-tls-verify': true }, {})),
    /would give the token to anybody/,
  ],
  [
    'speaks in the clear',
    stringify(config({ server: 'http://a' }, { token: 'x' })),
    /in the clear: give an https/,
  ],
  [
    'lacks a file',
    stringify(config({ 'certificate-authority': 'none' }, { token: 'x' })),
    /certificate-authority .*none cannot be read \(ENOENT\)/,
  ],
  ['is a text', 'hello', /no current-context/],
  ['is a List', '{"kind":"List","items":[]}', /it is a List: of manifests, give the directory/],
  ['is a pod', 'apiVersion: v1\nkind: Pod\n', /it is a Pod: of manifests/],
  ['is UTF-16', Buffer.from('\ufeffkind: Config', 'utf16le'), /no text in UTF-8/],
  [
    'goes through a proxy',
    stringify(config({ 'proxy-url': 'http://p' }, { token: 'x' })),
    /proxy-url is not/,
  ],
  [
    'is somebody else',
    stringify(config({}, { token: 'x', as: 'admin' })),
    /as is not supported: give a token/,
  ],
  [
    'is of other groups',
    stringify(config({}, { token: 'x', 'as-groups': ['a'] })),
    /as-groups is not supported/,
  ],
  [
    'verifies nothing, in quotes',
    stringify(config({ 'insecure-skip-tls-verify': 'true' }, {})),
    /is not supp/,
  ],
  ['has nothing to get in with', stringify(config({}, {})), /nothing to get in with: give a token/],
  ['has an empty file of a token', stringify(config({}, { tokenFile: 'empty' })), /tokenFile empty is empty/],
  ['has a directory as token', stringify(config({}, { tokenFile: '.' })), /tokenFile .* \(EISDIR\)/],
  ['has a number as token', stringify(config({}, { token: 12345 })), /token is no text: put it in quotes/],
  ['has two tokens in one', stringify(config({}, { token: 'a\nb' })), /token has a blank, a line break/],
  [
    'has half of a certificate',
    stringify(config({}, { 'client-certificate-data': base64('x') })),
    /client-key is missing: the two belong together/,
  ],
  [
    'has a damaged authority',
    stringify(config({ 'certificate-authority-data': 'AAAA' }, { token: 'x' })),
    /certificate-authority is no certificate/,
  ],
] as const)
  t.test(`a kubeconfig that ${what} is refused`, async t => {
    const directory = t.testdir({ empty: '\n' })
    writeFileSync(join(directory, 'config'), text)
    t.throws(() => kubeconfig(join(directory, 'config')), { message: says })
  })

t.test('in a pod: what a service account has, read anew each time', async t => {
  const directory = t.testdir({ token: 'one\n', 'ca.crt': 'the authority' })
  const server = inCluster({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }, directory)
  t.equal(server.name, 'https://[fd00::1]:6443')
  t.equal(server.access().headers['authorization'], 'Bearer one')
  writeFileSync(join(directory, 'token'), 'two')
  t.equal(server.access().headers['authorization'], 'Bearer two')
  t.throws(() => inCluster({}), /this is no pod/)
  const without = inCluster({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, join(directory, 'none'))
  t.throws(
    () => without.access(),
    /token cannot be read \(ENOENT\): give the pod automountServiceAccountToken/,
  )
})

t.test('the server proves who it is', { skip: needs('openssl') }, async t => {
  const directory = t.testdir({})
  const made = (name: string) => selfSigned(directory, name, ['DNS:kubernetes', 'IP:127.0.0.1'])
  const [own, other] = [made('server'), made('other')]
  const server = createServer(
    { key: readFileSync(own.key), cert: readFileSync(own.certificate) },
    (request, response) => {
      response.end(JSON.stringify({ token: request.headers.authorization }))
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const access = (ca: string) => ({
    ...{ url: new URL(`https://127.0.0.1:${port}`), headers: { authorization: 'Bearer x' } },
    ca: readFileSync(ca, 'utf8'),
  })
  const asked = { path: '/api', accept: 'application/json', signal: new AbortController().signal }
  t.same(await getDocument(access(own.certificate), asked), { token: 'Bearer x' })
  await t.rejects(getDocument(access(other.certificate), asked), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
})

t.test('the setting names an API, a kubeconfig file or a directory', async t => {
  const directory = t.testdir({ config: stringify(config({ server: 'http://127.0.0.1:1' }, {})), in: {} })
  const open = (from?: string) => Cluster.open(from, { warn: () => {} }, {})
  await t.rejects(open('api'), /this is no pod/)
  await t.rejects(open(join(directory, 'none')), /there is no such file or directory: give api in a pod/)
  await t.rejects(open('/dev/null'), /neither a file nor a directory/)
  for (const from of ['config', 'in']) {
    const cluster = await open(join(directory, from))
    t.equal(cluster.facts.isKnown, true)
    t.match(cluster.view(), { cluster: { Pod: 0 } })
    await cluster.close()
  }
  const none = await open()
  t.equal(none.facts.isKnown, false)
  t.same(none.view(), {})
  await none.close()
})
