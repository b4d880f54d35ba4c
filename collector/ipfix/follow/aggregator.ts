/**
 * Told as an aggregator would: one record of both ends, with what each node has counted. An end that a probe should tell of, and
 * does not, is waited for; then the record goes out without it, marked, and counted.
 */

import type { Followed } from '../../flows/follower.ts'
import { MARK, WORD } from '../../flows/table/columns.ts'
import type { FlowStore } from '../../flows/table/store.ts'
import { endsOf } from '../record/ends.ts'
import type { IpfixRecord } from '../record/record.ts'
import { recordOf } from '../record/record_of.ts'
import { countsOf } from './counts.ts'
import { surroundings, type TellerParts } from './exporter.ts'
import { type Due, leadOf, type Teller, type Unit } from './follow.ts'
import { HeldRecords } from './held.ts'
import { TOLD, type Told } from './told.ts'

/** Active periods that the other end is waited for. */
export const WAIT_PERIODS = 3

export class Aggregator implements Teller {
  /** Records that went out without the numbers of an end that was waited for. */
  incomplete = 0
  readonly #parts: TellerParts
  readonly #waitS: number
  readonly #held: HeldRecords
  readonly #now: () => number

  /** @param now milliseconds that only rise */
  constructor(parts: TellerParts, activeS: number, now: () => number, held = new HeldRecords()) {
    this.#parts = parts
    this.#waitS = WAIT_PERIODS * activeS
    this.#now = now
    this.#held = held
  }

  get held(): number {
    return this.#held.size
  }

  unitsOf(_: FlowStore, client: number, server: number): Unit[] {
    return [{ client, server }]
  }

  /** Many wait when a probe falls silent: each is looked at once. */
  isEarly({ client, server }: Unit, flows: Followed, time: number, told: Told): boolean {
    const lead = client || server
    const isHalf = client === 0 || server === 0
    if (isHalf) return told.get(lead, TOLD.WAITS) === 1 && time - told.get(lead, TOLD.BEGAN) < this.#waitS
    const behind = behindS({ client, server, flows, time })
    return behind > 0 && behind < this.#waitS
  }

  tell(due: Due, isLast: boolean): boolean {
    const { conversation, flows, client, server } = due
    const lead = leadOf(due)
    const ends = endsOf(conversation, surroundings(this.#parts, flows, conversation, lead))
    if (![ends.client, ends.server].some(({ isPod, isTold }) => isPod && isTold)) return true
    const isHalf = ends.client.isExpected || ends.server.isExpected
    const waitedS = isHalf ? due.time - due.told.get(lead, TOLD.BEGAN) : behindS(due)
    const isWaiting = (isHalf || waitedS > 0) && waitedS < this.#waitS
    if (isWaiting && !isLast) {
      due.told.set(lead, TOLD.WAITS, 1)
      return false
    }
    const isGone = [client, server].some(end => end !== 0 && flows.store.isMarked(end, MARK.ABANDONED))
    const isIncomplete = isHalf || isGone || waitedS >= this.#waitS
    const node = flows.store.runOf(lead).host
    const record = recordOf(
      due,
      { ...ends, client: ends.client.place, server: ends.server.place },
      countsOf(due),
      { name: node, addressOf: family => this.#parts.addresses.of(node, family) },
      isIncomplete,
    )
    const identity = isLast ? identityOf(flows.store, lead) : ''
    const whole = identity && isHalf ? this.#held.join(identity, record, client !== 0) : undefined
    if (whole) this.#emit(whole)
    else if (identity && isHalf && isWaiting) {
      const until = this.#now() + (this.#waitS - waitedS) * 1000
      const oldest = this.#held.hold(identity, { record, isClients: client !== 0, until })
      if (oldest) this.#emit(oldest)
    } else this.#emit(record)
    return true
  }

  /** Lets go what was waited for long enough. */
  tick(): void {
    for (const record of this.#held.over(this.#now())) this.#emit(record)
  }

  /** Lets go all of it. */
  flush(): void {
    for (const record of this.#held.over(Number.POSITIVE_INFINITY)) this.#emit(record)
  }

  #emit(record: IpfixRecord): void {
    if (record.isIncomplete) this.incomplete++
    this.#parts.emit(record)
  }
}

/** How far the windows of one end are behind this one, seconds. */
function behindS({ client, server, flows, time }: Pick<Due, 'client' | 'server' | 'flows' | 'time'>): number {
  if (client === 0 || server === 0) return 0
  const { store } = flows
  return Math.max(0, time - Math.min(store.runOf(client).time, store.runOf(server).time))
}

function identityOf(store: FlowStore, flow: number): string {
  if (!store.hasIdentity(flow)) return ''
  return `${store.table.word(flow, WORD.IDENTITY)} ${store.table.word(flow, WORD.IDENTITY_HIGH)}`
}
