/**
 * Conversations that have ended and of which one end has been told: the other end's probe may only be late, and the flow stage has
 * forgotten the first by then. The pair of initial sequence numbers says which two belong together.
 */

import { FLOW_TYPE, type IpfixRecord } from '../record/record.ts'
import { familyOf } from '../record/record_of.ts'

/** Beyond it the oldest goes out as it is. */
const MAX_HELD = 16_384

interface Held {
  readonly record: IpfixRecord
  readonly isClients: boolean
  /** Milliseconds that only rise. */
  readonly until: number
  /** Whose probe may tell of the other end: as `AtEnd.awaited`. */
  readonly awaited: number
  /** When a later window of that probe has ended, it has told of the other end, or never will; label of a window. */
  readonly known: number
}

export class HeldRecords {
  readonly #held = new Map<string, Held>()
  readonly #most: number

  constructor(most = MAX_HELD) {
    this.#most = most
  }

  get size(): number {
    return this.#held.size
  }

  /** @returns those that have to go for it */
  hold(identity: string, held: Held): IpfixRecord[] {
    const replaced = this.#held.get(identity)
    this.#held.delete(identity)
    this.#held.set(identity, held)
    const [oldest] = this.#held
    if (this.#held.size > this.#most) this.#held.delete(oldest![0])
    else if (!replaced) return []
    return [replaced?.record ?? oldest![1].record]
  }

  /** @returns the record of both, when the other end's is here */
  join(identity: string, record: IpfixRecord, isClients: boolean): IpfixRecord | undefined {
    const other = this.#held.get(identity)
    if (!other || other.isClients === isClients) return undefined
    this.#held.delete(identity)
    return isClients ? joined(record, other.record) : joined(other.record, record)
  }

  /**
   * @param until label of the last window that has ended there
   * @returns those whose other end no probe has: nothing is missing; they are no longer held
   */
  settled(until: (awaited: number) => number): IpfixRecord[] {
    const all = new Set([...this.#held.values()].map(({ awaited }) => awaited))
    const times = new Map([...all].map(awaited => [awaited, until(awaited)]))
    const settled = [...this.#held].filter(([, { awaited, known }]) => {
      const time = times.get(awaited)!
      // a probe that is gone has told nothing of it
      return time > known && time !== Number.POSITIVE_INFINITY
    })
    for (const [identity] of settled) this.#held.delete(identity)
    return settled.map(([, { record }]) => ({ ...record, isIncomplete: false }))
  }

  /** @returns those whose time is over; they are no longer held */
  over(nowMs: number): IpfixRecord[] {
    const over = [...this.#held].filter(([, { until }]) => until <= nowMs)
    for (const [identity] of over) this.#held.delete(identity)
    return over.map(([, { record }]) => record)
  }
}

/** Each direction as its sender counted it; addresses as their own end has them. */
function joined(client: IpfixRecord, server: IpfixRecord): IpfixRecord {
  const carried = (of: 'total' | 'since') => ({
    ...{ bytes: client[of].bytes, packets: client[of].packets },
    ...{ revBytes: server[of].revBytes, revPackets: server[of].revPackets },
  })
  const { ip, port } = client.source
  const isSeenAsItIs = server.source.ip === ip && server.source.port === port
  return {
    ...client,
    family: familyOf(client.source, server.destination),
    destination: server.destination,
    ...(!isSeenAsItIs && { snat: server.source }),
    end: Math.max(client.end, server.end),
    ...{ total: carried('total'), since: carried('since'), server: server.server },
    ...(server.fromDestination && { fromDestination: server.fromDestination }),
    type: client.client.node === '' || server.server.node === '' ? client.type : FLOW_TYPE.interNode,
    isIncomplete: false,
  }
}
