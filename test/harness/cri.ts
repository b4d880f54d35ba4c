import { join } from 'node:path'
import { type Client, credentials, loadPackageDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { HARNESS } from './binary.ts'
import type { Closable } from './cleanup.ts'

// Container starts take some 0.2 s; a busy machine may need much longer.
const CALL_TIMEOUT_MS = 60_000

/** Calls a method of runtime.v1.RuntimeService; the messages are those of cri.proto. */
export interface Cri extends Closable {
  call(method: string, request: object): Promise<CriAnswer>
}

/** The fields of the answers in cri.proto, each there if the method's answer has it. */
export interface CriAnswer {
  pod_sandbox_id: string
  container_id: string
  status: { network: { ip: string } | null }
  /** With `verbose`: containerd's own JSON under the key `info`. */
  info: Record<string, string>
  stdout: Buffer
  stderr: Buffer
  exit_code: number
}

type Method = (
  request: object,
  options: { deadline: number },
  answer: (failure: Error | null, answer: CriAnswer) => void,
) => void

export async function connectCri(socket: string, readyTimeoutMs = 20_000): Promise<Cri> {
  const definition = loadSync(join(HARNESS, 'cri.proto'), { keepCase: true, longs: String, defaults: true })
  const { runtime } = loadPackageDefinition(definition) as unknown as {
    runtime: { v1: { RuntimeService: new (...args: ConstructorParameters<typeof Client>) => Client } }
  }
  const options = {
    // containerd refuses the :authority that grpc-js makes of a socket's path.
    'grpc.default_authority': 'localhost',
    // The socket is not there yet: the first try after a failed one comes after a second by default.
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 100,
  }
  const client = new runtime.v1.RuntimeService(`unix://${socket}`, credentials.createInsecure(), options)
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + readyTimeoutMs, failure => {
      if (!failure) return resolve()
      client.close()
      reject(failure)
    }),
  )
  const methods = client as unknown as Record<string, Method>
  return {
    call: (method, request) =>
      new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + CALL_TIMEOUT_MS }
        methods[method]!.call(client, request, options, (failure, answer) =>
          failure ? reject(new Error(`${method}: ${failure.message}`)) : resolve(answer),
        )
      }),
    close: async () => client.close(),
  }
}
