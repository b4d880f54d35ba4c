/** A runtime that speaks the Kubernetes Container Runtime Interface: containerd, CRI-O, cri-dockerd. */

import { existsSync } from 'node:fs'
import type { Client, ClientReadableStream, ServiceClientConstructor } from '@grpc/grpc-js'
import type { Described, Pod } from '../source.ts'
import { type Answer, type Runtime, TIMEOUT_MS } from './asked.ts'
import { CONTAINER_RUNNING, CRI, type CriContainer, type CriSandbox, SANDBOX_READY } from './cri_messages.ts'

const MAX_BYTES = 16 * 2 ** 20
/** gRPC's status for a method that the server does not have (grpc/doc/statuscodes.md). */
const UNIMPLEMENTED = 12

type Ask = (
  request: object,
  options: { deadline: number },
  answered: (error: Error | null, answer: Record<string, unknown>) => void,
) => { cancel(): void }

export function cri(socket: string): Runtime {
  let client: Client | undefined
  let events: ClientReadableStream<unknown> | undefined
  let hasEvents = true
  return {
    name: 'cri',
    gapMs: 250,
    exists: () => existsSync(socket),
    ask: async signal => {
      client ??= await connect(socket)
      const [containers, sandboxes] = await Promise.all([
        call(client, 'ListContainers', signal),
        call(client, 'ListPodSandbox', signal),
      ])
      return answerOf(containers['containers'] as CriContainer[], sandboxes['items'] as CriSandbox[])
    },
    /** containerd has no such events before 1.7. */
    watch: changed => {
      if (events || !hasEvents || !client) return
      const subscribe = (
        client as unknown as Record<string, (request: object) => ClientReadableStream<unknown>>
      )['GetContainerEvents']!
      const stream = subscribe.call(client, {})
      events = stream
      const ended = ({ code }: { code?: number } = {}) => {
        if (code === UNIMPLEMENTED) hasEvents = false
        if (events === stream) events = undefined
      }
      stream
        .on('data', changed)
        .on('error', ended)
        .on('end', () => ended())
    },
    close: () => {
      events?.cancel()
      client?.close()
    },
  }
}

/** Loaded at the first request: gRPC with its dependencies takes 27 MB. */
async function connect(socket: string): Promise<Client> {
  const { credentials, loadPackageDefinition } = await import('@grpc/grpc-js')
  const { fromJSON } = await import('@grpc/proto-loader')
  const definition = fromJSON(CRI as unknown as Parameters<typeof fromJSON>[0], {
    keepCase: true,
    defaults: true,
  })
  const loaded = loadPackageDefinition(definition) as unknown as {
    runtime: { v1: { RuntimeService: ServiceClientConstructor } }
  }
  return new loaded.runtime.v1.RuntimeService(`unix://${socket}`, credentials.createInsecure(), {
    // containerd refuses the :authority that grpc-js makes of a socket's path
    'grpc.default_authority': 'localhost',
    'grpc.max_receive_message_length': MAX_BYTES,
  })
}

function call(client: Client, method: string, signal: AbortSignal): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const ask = (client as unknown as Record<string, Ask>)[method]!
    const asked = ask.call(client, {}, { deadline: Date.now() + TIMEOUT_MS }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    )
    signal.addEventListener('abort', () => asked.cancel(), { once: true })
  })
}

function answerOf(containers: readonly CriContainer[], sandboxes: readonly CriSandbox[]): Answer {
  const described = new Map<string, Described>()
  const pods = new Map<string, Pod>()
  for (const { id, metadata, labels } of sandboxes) {
    if (!metadata) continue
    const { uid, name, namespace } = metadata
    const pod = { uid, name, namespace, labels }
    pods.set(id, pod)
    described.set(id, { sandbox: true, pod })
  }
  for (const { id, metadata, image, pod_sandbox_id } of containers) {
    const pod = pods.get(pod_sandbox_id)
    const imageName = image?.user_specified_image || image?.image
    described.set(id, {
      ...(metadata && { name: metadata.name }),
      ...(imageName && { image: imageName }),
      ...(pod && { pod }),
    })
  }
  const running = [
    ...containers.filter(({ state }) => state === CONTAINER_RUNNING),
    ...sandboxes.filter(({ state }) => state === SANDBOX_READY),
  ]
  return { containers: described, running: running.map(({ id }) => ({ id, pid: 0 })) }
}
