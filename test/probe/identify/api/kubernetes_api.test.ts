/** Against a small HTTPS server that answers as the Kubernetes API does (pods as in its API reference, v1). */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { Asked } from '../../../../probe/identify/api/asked.ts'
import { kubernetes } from '../../../../probe/identify/api/kubernetes_api.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { run } from '../../../harness/process.ts'
import { scratch } from '../../../harness/scratch.ts'
import { needs } from '../../../harness/skip.ts'
import { until } from '../../../harness/until.ts'

const ID = 'fca67a09b70abfa3fce6d696343aadd9fa67f5b8d4b4698d7886a2b5233a034b'
const POD = {
  metadata: {
    name: 'etcd-node-1',
    namespace: 'kube-system',
    uid: '1e597579-417e-482f-bf65-5fe170c3aebd',
    labels: { app: 'etcd' },
    annotations: { 'kubernetes.io/config.hash': '3f0a1dd3b0e8a7ce3a1b2f9d1c7c8b6a' },
  },
  status: {
    containerStatuses: [
      { name: 'etcd', image: 'registry/etcd:3', containerID: `containerd://${ID}` },
      { name: 'waiting', image: 'registry/etcd:3' },
    ],
  },
}

t.test('the API of Kubernetes', { skip: needs('openssl') }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'kubernetes')
  const serviceAccount = join(directory, 'account')
  await mkdir(serviceAccount)
  const [key, cert] = [join(directory, 'key.pem'), join(serviceAccount, 'ca.crt')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  await run([
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ])
  await writeFile(join(serviceAccount, 'token'), 'secret-1\n')
  const requests: (string | undefined)[] = []
  const server = createServer(
    { key: await readFile(key), cert: await readFile(cert) },
    (request, response) => {
      requests.push(request.url)
      const allowed = request.headers.authorization === 'Bearer secret-1'
      response.statusCode = allowed ? 200 : 403
      response.end(JSON.stringify(allowed ? { kind: 'PodList', items: [POD] } : { kind: 'Status' }))
    },
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanup.defer(() => server.close())
  const { port } = server.address() as AddressInfo
  const options = { host: '127.0.0.1', port, node: 'node-1', serviceAccount }

  await t.test('names the pods of this node, a static pod by the UID that its node knows', async t => {
    const asked = new Asked(kubernetes(options))
    t.teardown(() => asked.close())
    asked.refresh()
    const found = await until('an answer', () => asked.find(ID))
    t.same(found, {
      runtime: 'containerd',
      name: 'etcd',
      image: 'registry/etcd:3',
      pod: {
        uid: '3f0a1dd3b0e8a7ce3a1b2f9d1c7c8b6a',
        name: 'etcd-node-1',
        namespace: 'kube-system',
        labels: { app: 'etcd' },
      },
    })
    t.same(requests, ['/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0'])
    t.same(asked.running(), [], 'who runs is not for the API to say')
  })
  await t.test('that denies is counted', async t => {
    await writeFile(join(serviceAccount, 'token'), 'old')
    const asked = new Asked(kubernetes(options))
    t.teardown(() => asked.close())
    asked.refresh()
    await until('the denial', () => asked.failed['denied'])
    t.same(asked.failed, { denied: 1 })
  })
  await t.test('is not asked without a token', async t => {
    t.notOk(kubernetes({ ...options, serviceAccount: join(directory, 'none') }).exists())
  })
})
