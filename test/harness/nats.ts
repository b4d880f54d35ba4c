/** Private nats-servers (Debian's 2.9.10) on free loopback ports with their data in a directory of the test. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NatsConnection } from '@nats-io/transport-node'
import { connect } from '@nats-io/transport-node'
import { stepsFor, type Wanted } from '../../cli/setup/nats/prepare.ts'
import { mappingOf } from '../../wire/nats/names.ts'
import type { Cleanup } from './cleanup.ts'
import { freePorts } from './influx.ts'
import { type Child, start } from './process.ts'
import { scratch } from './scratch.ts'
import { until } from './until.ts'

export interface NatsServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Again, with the same data. */
  start(): Promise<void>
}

export interface NatsOptions {
  readonly partitions?: number
  /** Lines of its configuration. */
  readonly more?: string
  readonly name?: string
  readonly tls?: { readonly cert: string; readonly key: string }
  /** In place of the mapping. */
  readonly configuration?: string
  /** Of its streams, at most. */
  readonly room?: string
  /** It has no streams of its own. */
  readonly isLeaf?: boolean
  readonly ports?: readonly [number, number]
}

/** How the tests' stream is set up: leases are short. */
export const WANTED: Wanted = {
  ...{ partitions: 8, replicas: 1, lease: 2, maxBytes: 2 ** 28, maxAge: 24, duplicates: 15 },
}

export async function startNats(cleanup: Cleanup, options: NatsOptions = {}): Promise<NatsServer> {
  const directory = await scratch(cleanup, 'nats')
  const [port] = options.ports ?? (await freePorts())
  const [from, to] = mappingOf(options.partitions ?? WANTED.partitions)
  const file = join(directory, 'nats.conf')
  await writeFile(
    file,
    `server_name: "${options.name ?? 'one'}"
listen: "127.0.0.1:${port}"
${options.tls ? `tls { cert_file: "${options.tls.cert}", key_file: "${options.tls.key}" }` : ''}
${options.isLeaf ? '' : `jetstream { store_dir: "${directory}/data", max_memory_store: 64M, max_file_store: ${options.room ?? '1G'} }`}
${options.configuration ?? `mappings { "${from}": "${to}" }`}
${options.more ?? ''}
`,
  )
  const url = `nats://127.0.0.1:${port}`
  let child: Child | undefined
  const server = {
    ...{ url, port },
    get pid() {
      return child?.pid ?? 0
    },
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      await child?.kill(signal)
      child = undefined
    },
    async start() {
      const started = start(['nats-server', '-c', file])
      child = started
      await until(`nats-server (${started.stderr})`, () => /Server is ready/.test(started.stderr))
    },
  }
  cleanup.defer(() => server.stop('SIGKILL'))
  await server.start()
  return server
}

/** A connection of the test's own; it ends with the cleanup. */
export async function natsClient(
  cleanup: Cleanup,
  servers: string | string[],
  more = {},
): Promise<NatsConnection> {
  const connection = await connect({ servers, maxReconnectAttempts: -1, ...more })
  cleanup.defer(() => connection.close())
  return connection
}

/** The stream and the buckets. */
export async function setUp(connection: NatsConnection, wanted: Partial<Wanted> = {}): Promise<void> {
  for (const { run } of await stepsFor(connection, { ...WANTED, ...wanted })) await run()
}
