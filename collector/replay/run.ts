/** A replay from the servers to the sinks, until all is stored. */

import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { Logger } from 'pino'
import { causeOf, connectNats } from '../../wire/nats/connect.ts'
import { PARTITIONS_KEY, STATES, STREAM } from '../../wire/nats/names.ts'
import { linkOf } from '../../wire/settings/endpoint.ts'
import { natsAccessOf } from '../../wire/settings/nats.ts'
import type { CollectorOptions } from '../options.ts'
import { Sinks } from '../sinks/sinks.ts'
import { type Range, Replay, type Source } from './replay.ts'

export interface Asked extends Range {
  readonly rate: number
  /** Counters may begin at 0 where it is not known what they had come to. */
  readonly fromZero: boolean
  readonly version: string
  readonly log: Logger
  readonly stopped: AbortSignal
  /** Told now and then. */
  readonly say: (text: string) => Promise<unknown>
}

const WAIT_MS = 50
const SAY_MS = 10_000

/** @throws with the remedy */
export async function replay(options: CollectorOptions, asked: Asked): Promise<void> {
  const { link, ifid } = endpointOf(options)
  const access = { name: 'sockflux replay', inboxPrefix: '_INBOX.replay' }
  const connection = await connectNats(link, natsAccessOf(options), access).catch((error: unknown) => {
    throw new Error(`${link}: ${causeOf(error)}`)
  })
  try {
    const stream = jetstream(connection)
    const manager = await stream.jetstreamManager()
    const { state } = await manager.streams.info(STREAM).catch((error: unknown) => {
      throw new Error(`${link}: ${causeOf(error)}; run sockflux setup nats`)
    })
    const states = await new Kvm(stream).open(STATES)
    const partitions = (await states.get(PARTITIONS_KEY))?.json<number>() ?? 0
    const source = {
      connection,
      streaming: { stream, manager },
      states,
      first: state.first_seq,
      last: state.last_seq,
    }
    await run(options, asked, { source, partitions, ifid })
  } finally {
    await connection.close()
  }
}

/** @throws when there is none, or several */
function endpointOf({ listen }: CollectorOptions): { link: string; ifid: string } {
  const found = listen
    .map((text, index) => ({ ...linkOf(text), index }))
    .filter(({ endpoint }) => endpoint.startsWith('nats://'))
  const [one, another] = found
  if (!one || another)
    throw new Error(
      `replay: --listen has ${found.length} NATS endpoints: give the one whose stream is to be replayed, as the collectors have it`,
    )
  return { link: one.text, ifid: one.ifid ?? String(one.index) }
}

interface Place {
  readonly source: Source
  readonly partitions: number
  readonly ifid: string
}

async function run(
  options: CollectorOptions,
  asked: Asked,
  { source, partitions, ifid }: Place,
): Promise<void> {
  const { rate, stopped, say, log, version, fromZero } = asked
  const context = { profile: options.profile, version, log }
  const sinks = await Sinks.open({ ...options, spool: 'off' }, context, {}, sink => sink.overwrites === true)
  try {
    if (sinks.names.length === 0)
      throw new Error('replay: it writes to InfluxDB or VictoriaMetrics: give --influx-url or INFLUX_URL')
    const pace = { rate, isFull: () => sinks.isHalfFull, isStopped: () => stopped.aborted }
    const replaying = new Replay(asked, source, options, sinks, { pace, ifid, log })
    const numbers = Array.from({ length: partitions }, (_, number) => number)
    if (!fromZero) await checkStates(replaying, numbers)
    let saidMs = performance.now()
    for (const number of numbers) {
      if (stopped.aborted) break
      await replaying.partition(number)
      if (performance.now() - saidMs < SAY_MS) continue
      saidMs = performance.now()
      await say(`partition ${number + 1} of ${partitions}: ${replaying.written} windows of this time`)
    }
    while (sinks.stats().waiting > 0 && !stopped.aborted) await sleep(WAIT_MS)
    await tell(replaying, sinks, say)
    if (stopped.aborted)
      throw new Error('replay: it was ended before all was stored; start it again, the points are the same')
  } finally {
    await sinks.close()
  }
}

/** @throws before anything is written */
async function checkStates(replaying: Replay, partitions: readonly number[]): Promise<void> {
  for (const number of partitions)
    if (!(await replaying.knows(number)))
      throw new Error(
        `replay: what counters of partition ${number} had come to before that time is not kept any more: give a later --from, or --from-zero for a database without later points`,
      )
}

/** @throws when something was not stored */
async function tell(replaying: Replay, sinks: Sinks, say: Asked['say']): Promise<void> {
  const { written } = sinks.stats()
  await say(
    `${replaying.written} windows of this time, ${written} samples stored (${replaying.read} windows read)`,
  )
  const before = listed(replaying.lost)
  if (before !== '') await say(`of what was read: ${before}`)
  const lost = listed(sinks.losses())
  if (lost !== '') throw new Error(`replay: not all is stored: ${lost}`)
}

const listed = (lost: Readonly<Record<string, number>>): string =>
  Object.entries(lost)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')
