/** The stream and the buckets on a NATS server: what is there, what is missing, the changes. */

import {
  DiscardPolicy,
  JetStreamApiError,
  jetstream,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { ALL_WINDOWS, LEASES, PARTITIONS_KEY, STATES, STREAM } from '../../../wire/nats/names.ts'

export interface Wanted {
  readonly partitions: number
  /** Copies of the stream and the buckets, on as many servers. */
  readonly replicas: number
  /** Seconds; after it the partitions of a collector that is gone are others'. */
  readonly lease: number
  readonly maxBytes: number
  /** Hours. */
  readonly maxAge: number
  /** Minutes in which a message id is known. */
  readonly duplicates: number
}

export interface Step {
  readonly shows: string
  run(): Promise<unknown>
}

const [SECOND_NS, MINUTE_NS, HOUR_NS] = [1e9, 60e9, 3600e9]

/** @throws when what is there cannot be changed so */
export async function stepsFor(connection: NatsConnection, wanted: Wanted): Promise<Step[]> {
  const stream = jetstream(connection)
  const manager = await stream.jetstreamManager()
  const buckets = new Kvm(stream)
  const steps: Step[] = []
  const there = async (name: string): Promise<StreamConfig | undefined> => {
    try {
      return (await manager.streams.info(name)).config
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === 10_059) return undefined // stream not found
      throw error
    }
  }
  const config = {
    subjects: [ALL_WINDOWS],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    num_replicas: wanted.replicas,
    max_bytes: wanted.maxBytes,
    max_age: wanted.maxAge * HOUR_NS,
    duplicate_window: wanted.duplicates * MINUTE_NS,
  }
  const found = await there(STREAM)
  if (!found)
    steps.push({
      shows: `stream ${STREAM}: ${wanted.maxAge} h, ${wanted.maxBytes} bytes, ${wanted.replicas} copies`,
      run: () => manager.streams.add({ name: STREAM, ...config }),
    })
  else {
    const differ = changed(found, config)
    if (differ.length > 0)
      steps.push({
        shows: `stream ${STREAM}: ${differ.join(', ')}`,
        run: () => manager.streams.update(STREAM, config),
      })
  }
  for (const [name, ttl] of [
    [LEASES, wanted.lease],
    [STATES, 0],
  ] as const) {
    const config = await there(`KV_${name}`)
    const want = { max_age: ttl * SECOND_NS, num_replicas: wanted.replicas }
    const differ = config ? changed(config, want) : []
    if (!config)
      steps.push({
        shows: `bucket ${name}: ${ttl > 0 ? `leases of ${ttl} s, ` : ''}${wanted.replicas} copies`,
        run: () =>
          buckets.create(name, {
            ttl: ttl * 1000,
            history: 1,
            replicas: wanted.replicas,
            storage: StorageType.File,
          }),
      })
    else if (differ.length > 0)
      steps.push({
        shows: `bucket ${name}: ${differ.join(', ')}`,
        run: () => manager.streams.update(`KV_${name}`, withDuplicates(want)),
      })
  }
  const partitions = (await there(`KV_${STATES}`)) && (await (await buckets.open(STATES)).get(PARTITIONS_KEY))
  const now = partitions?.json<number>()
  if (now !== undefined && now !== wanted.partitions)
    throw new Error(
      `the stream has ${now} partitions: hosts would change theirs, and their counters begin at 0; give --partitions ${now}, or remove stream and buckets first`,
    )
  if (now === undefined)
    steps.push({
      shows: `${wanted.partitions} partitions`,
      run: async () => (await buckets.open(STATES)).put(PARTITIONS_KEY, JSON.stringify(wanted.partitions)),
    })
  return steps
}

/** A window of duplicates is not longer than what is kept. */
const withDuplicates = (want: { readonly max_age: number; readonly num_replicas: number }) =>
  want.max_age > 0 ? { ...want, duplicate_window: Math.min(want.max_age, 2 * MINUTE_NS) } : want

const changed = <T extends object>(found: object, wanted: T): string[] =>
  Object.entries(wanted)
    .filter(
      ([key, value]) => JSON.stringify((found as Record<string, unknown>)[key]) !== JSON.stringify(value),
    )
    .map(
      ([key, value]) =>
        `${key} ${JSON.stringify((found as Record<string, unknown>)[key])} -> ${JSON.stringify(value)}`,
    )
