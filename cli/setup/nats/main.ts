/** `sockflux setup nats`: the part of the configuration, the stream and the buckets, and whether they work. */

import { writeFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { jetstream } from '@nats-io/jetstream'
import { headers, type NatsConnection, nkeys } from '@nats-io/transport-node'
import { causeOf, connectNats, type NatsAccess } from '../../../wire/nats/connect.ts'
import { partitionOf, placeOf, STREAM, subjectOf, tokenOf } from '../../../wire/nats/names.ts'
import { print } from '../../client.ts'
import { printable } from '../../printable.ts'
import { type Configured, configuration } from './configuration.ts'
import { stepsFor, type Wanted } from './prepare.ts'

export interface Asked {
  /** Undefined: only the configuration is printed. */
  readonly endpoint: string | undefined
  readonly access: NatsAccess
  readonly wanted: Wanted
  readonly configured: Configured
  readonly dryRun: boolean
  readonly out: Writable
}

/** @throws with one sentence */
export async function setUpNats({ endpoint, access, wanted, configured, dryRun, out }: Asked): Promise<void> {
  await print(out, configuration(configured))
  if (endpoint === undefined) return
  const say = (text: string) => print(out, `# ${printable(text)}\n`)
  const how = { name: 'sockflux setup', inboxPrefix: '_INBOX.setup' }
  const connection = await connectNats(endpoint, access, how).catch((error: unknown) => {
    throw new Error(`${endpoint}: ${causeOf(error)}`)
  })
  try {
    const { version, max_payload } = connection.info!
    await say(`nats-server ${version} at ${connection.getServer()}, messages up to ${max_payload} bytes`)
    const steps = await stepsFor(connection, wanted)
    for (const { shows, run } of steps) {
      if (!dryRun) await run().catch(explained)
      await say(`${dryRun ? 'would' : 'done'}  ${shows}`)
    }
    if (steps.length === 0) await say('nothing to change')
    if (!dryRun) await say(await mapped(connection, wanted.partitions))
  } finally {
    await connection.close()
  }
}

/** @throws with the remedy */
function explained(error: Error): never {
  const remedy = Object.entries(REMEDIES).find(([text]) => error.message.includes(text))?.[1]
  throw new Error(remedy === undefined ? error.message : `${error.message}: ${remedy}`)
}

const REMEDIES: Readonly<Record<string, string>> = {
  'insufficient storage':
    "give a smaller --max-bytes, or raise max_file_store in the server's jetstream section",
  'no suitable peers': 'give fewer --replicas, or start the other servers of the cluster',
  'replicas > 1 not supported': 'give --replicas 1, or make the servers a cluster',
}

const PROBE = 'sockflux setup'

/** Publishes a message that is no window, and looks where it comes to: a collector passes it over. */
async function mapped(connection: NatsConnection, partitions: number): Promise<string> {
  const token = tokenOf(PROBE)
  const [stream, manager] = [jetstream(connection), await jetstream(connection).jetstreamManager()]
  const more = headers()
  more.set('Sf-Part', 'none')
  try {
    const { seq } = await stream.publish(subjectOf(token), '', { headers: more, timeout: 2000 })
    const message = await manager.streams.getMessage(STREAM, { seq })
    await manager.streams.deleteMessage(STREAM, seq)
    const place = message && placeOf(message.subject)
    return place?.partition === partitionOf(token, partitions)
      ? 'ok    the mapping leads to the partitions'
      : `the mapping leads to ${message?.subject}: write it as above into the server's configuration`
  } catch (error) {
    return `the mapping does not lead to the stream (${causeOf(error)}): write it as above into the server's configuration and reload it, or give probes partitions=${partitions} behind their endpoint`
  }
}

/** @returns the public key */
export function makeNkey(file: string): string {
  const pair = nkeys.createUser()
  try {
    writeFileSync(file, `${Buffer.from(pair.getSeed()).toString()}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(
      `--new-key: cannot write ${file} (${code === 'EEXIST' ? 'it is there already: remove it, or give another name' : code})`,
    )
  }
  return pair.getPublicKey()
}
