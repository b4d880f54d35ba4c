/** The NATS servers between this probe and its collectors. */

import { causeOf, connectNats } from '../../wire/nats/connect.ts'
import { inboxOf } from '../../wire/nats/names.ts'
import type { Finding } from '../kernel/finding.ts'
import type { Env } from './check.ts'

/** Older ones have no consumers of a name of our own, and no partitions in mappings. */
const OLDEST = [2, 9]
const NEEDS_BYTES = 2 ** 20

/** @param endpoint with its words */
export async function natsServer(endpoint: string, { nats }: Env): Promise<Finding> {
  const name = 'collector'
  try {
    const how = { name: 'sockflux doctor', inboxPrefix: inboxOf('doctor') }
    const connection = await connectNats(endpoint, nats ?? { credentials: undefined, ca: undefined }, how)
    const { version, max_payload, jetstream } = connection.info!
    await connection.close()
    const found = `${endpoint}: nats-server ${version}`
    const faults = faultsOf(version, max_payload, jetstream === true)
    if (faults.length === 0) return { name, ok: true, found: `${found} with JetStream takes us` }
    const [why, remedy] = faults[0]!
    return { name, ok: 'warn', found: `${found} ${why}`, remedy }
  } catch (error) {
    const remedy =
      'start it, or correct --collector, --nats-credentials or --nats-ca; until then records wait'
    return { name, ok: 'warn', found: `${endpoint} does not take us (${causeOf(error)})`, remedy }
  }
}

function faultsOf(version: string, bytes: number, hasStreams: boolean): [why: string, remedy: string][] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < OLDEST[0]! || (major === OLDEST[0]! && minor < OLDEST[1]!)
  return [
    ...(isOld ? [['is older than 2.9', 'update it'] as [string, string]] : []),
    ...(hasStreams
      ? []
      : [
          [
            'has no JetStream here',
            'write jetstream { store_dir: … } into its configuration, or let a server of its cluster have it',
          ] as [string, string],
        ]),
    ...(bytes < NEEDS_BYTES
      ? [
          [
            `takes messages up to ${bytes} bytes: windows are cut into more parts`,
            'leave max_payload at 1 MB',
          ] as [string, string],
        ]
      : []),
  ]
}
