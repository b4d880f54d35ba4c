/** What containerd on this machine does not do, with a server that does; the rest is in runtimes.test.ts. */

import { once } from 'node:events'
import { join } from 'node:path'
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import t, { type Test } from 'tap'
import { Asked } from '../../../../probe/identify/api/asked.ts'
import { cri } from '../../../../probe/identify/api/cri.ts'
import { CRI } from '../../../../probe/identify/api/cri_messages.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { scratch } from '../../../harness/scratch.ts'
import { until } from '../../../harness/until.ts'

const POD = { name: 'web-0', uid: 'u-1', namespace: 'shop' }
const IMAGE = { image: 'sha256:0123', user_specified_image: 'registry/web:1' }

async function serve(
  t: Test,
  containers: object[],
  events: (stream: ServerWritableStream<object, object>) => void,
) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const socket = join(await scratch(cleanup, 'cri'), 's.sock')
  const definition = fromJSON(CRI as unknown as Parameters<typeof fromJSON>[0], { keepCase: true })
  const loaded = loadPackageDefinition(definition) as unknown as {
    runtime: { v1: { RuntimeService: ServiceClientConstructor } }
  }
  const server = new Server()
  type Answered = (error: null, answer: object) => void
  server.addService(loaded.runtime.v1.RuntimeService.service, {
    ListContainers: (_: object, answered: Answered) => answered(null, { containers }),
    ListPodSandbox: (_: object, answered: Answered) =>
      answered(null, { items: [{ id: 's', metadata: POD, state: 0, labels: { app: 'web' } }] }),
    GetContainerEvents: events,
  })
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), error =>
      error ? reject(error) : resolve(),
    ),
  )
  cleanup.defer(() => server.forceShutdown())
  const asked = new Asked(cri(socket))
  cleanup.defer(() => asked.close())
  return asked
}

t.test('containers have their pods, and those that have exited are known but do not run', async t => {
  const containers = [
    { id: 'a', pod_sandbox_id: 's', metadata: { name: 'main' }, image: IMAGE, state: 1 },
    { id: 'b', pod_sandbox_id: 's', metadata: { name: 'setup' }, image: { image: 'i' }, state: 2 },
    { id: 'c', pod_sandbox_id: 'gone', metadata: { name: 'lost' }, state: 1 },
  ]
  const asked = await serve(t, containers, stream => stream.end())
  asked.refresh()
  await until('an answer', () => asked.find('a'))
  const pod = { ...POD, labels: { app: 'web' } }
  t.same(asked.find('a'), { name: 'main', image: 'registry/web:1', pod })
  t.same(asked.find('b'), { name: 'setup', image: 'i', pod })
  t.same(asked.find('c'), { name: 'lost' })
  t.same(asked.find('s'), { sandbox: true, pod })
  t.same(
    asked.running().map(({ id }) => id),
    ['a', 'c', 's'],
  )
})

t.test('a runtime that tells of changes is asked again', async t => {
  const containers: object[] = []
  const streams: ServerWritableStream<object, object>[] = []
  const asked = await serve(t, containers, stream => streams.push(stream))
  asked.refresh()
  const stream = await until('the stream', () => streams[0])
  t.equal(asked.find('a'), undefined)
  containers.push({ id: 'a', pod_sandbox_id: 's', metadata: { name: 'main' }, state: 1 })
  stream.write({ container_id: 'a' })
  await until('the new container', () => asked.find('a'))
  const ended = once(stream, 'close')
  stream.end()
  await ended
  asked.refresh()
  await until('the stream again', () => streams.length === 2)
})
