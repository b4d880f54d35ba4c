/**
 * Told as an aggregator would: one record of both ends, with what each node has counted. An end that a probe should tell of, and
 * does not, is waited for; then the record goes out without it, marked, and counted.
 */

import { isSeenByClient } from '../../flows/ends/halves.ts'
import type { Followed } from '../../flows/follower.ts'
import { MARK, WORD } from '../../flows/table/columns.ts'
import type { Run } from '../../flows/table/run.ts'
import { type FlowStore, protocolOf, TCP, UDP } from '../../flows/table/store.ts'
import { endsOf, NOBODY } from '../record/ends.ts'
import type { IpfixRecord } from '../record/record.ts'
import { recordOf } from '../record/record_of.ts'
import { countsOf } from './counts.ts'
import { surroundings, type TellerParts, tellerOf } from './exporter.ts'
import { type Due, leadOf, type Teller, type Unit } from './follow.ts'
import { HeldRecords } from './held.ts'
import { toldUntil } from './probes.ts'
import { TOLD, type Told } from './told.ts'

/** Active periods that the other end is waited for. */
export const WAIT_PERIODS = 3
/** Nodes that are waited for in one window. */
const MAX_ANSWERS = 8192

export class Aggregator implements Teller {
  /** Records that went out without the numbers of an end that was waited for. */
  incomplete = 0
  readonly #parts: TellerParts
  readonly #waitS: number
  readonly #held: HeldRecords
  readonly #now: () => number
  #store: FlowStore | undefined
  #asked: { readonly run?: Run; readonly window?: number } = {}
  readonly #answers = new Map<string, number>()

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
    if (client === 0 || server === 0) {
      const [awaited, began] = [TOLD.AWAITED, TOLD.BEGAN].map(column => told.get(client || server, column))
      if (awaited === NOBODY || time - began! >= this.#waitS) return false
      return this.#toldUntil(flows.store, awaited!, client || server, time) <= began!
    }
    const behind = behindS({ client, server, flows, time })
    return behind > 0 && behind < this.#waitS
  }

  /** Of all that wait in one window of a host the answer is the same. */
  #toldUntil(store: FlowStore, awaited: number, flow: number, time: number): number {
    const run = store.runOf(flow)
    const answers = this.#answers
    if (this.#asked.run !== run || this.#asked.window !== run.window || answers.size > MAX_ANSWERS) {
      this.#asked = { run, window: run.window }
      answers.clear()
    }
    const key = `${awaited} ${time}`
    const known = answers.get(key) ?? toldUntil(store, awaited, run.boot, time - this.#waitS)
    answers.set(key, known)
    return known
  }

  tell(due: Due, isLast: boolean): boolean {
    const { conversation, flows, client, server } = due
    const { store } = flows
    this.#store = store
    const lead = leadOf(due)
    if (client === 0 && isOtherHalf(store, flows, server)) return true
    const ends = endsOf(conversation, surroundings(this.#parts, flows, conversation, lead))
    if (![ends.client, ends.server].some(({ isPod, isTold }) => isPod && isTold)) return true
    const awaited = ends.client.awaited || ends.server.awaited
    const isOneSided = client === 0 || server === 0
    const identity = isLast && isOneSided ? identityOf(store, lead) : ''
    const { boot, interval } = store.runOf(lead)
    const began = due.told.get(lead, TOLD.BEGAN)
    // clocks differ a little: the other end of one that is over may be in the next window there, and is joined after that one
    const known = began + (isLast ? interval : 0)
    // a connection that was never established has no other end, and of datagrams nothing comes after the last one
    const isHalf = (!isLast || identity !== '') && toldUntil(store, awaited, boot) <= known
    const waitedS = isHalf ? due.time - began : behindS(due)
    // a probe that is behind for so long already is not waited for once more
    const isHoped = !isHalf || toldUntil(store, awaited, boot, due.time - this.#waitS) <= known
    const isWaiting = isHoped && (isHalf || waitedS > 0) && waitedS < this.#waitS
    if (isWaiting && !isLast) {
      due.told.set(lead, TOLD.AWAITED, awaited)
      return false
    }
    const isGone = [client, server].some(end => end !== 0 && store.isMarked(end, MARK.ABANDONED))
    const isIncomplete = isHalf || isGone || waitedS >= this.#waitS
    const record = recordOf(
      due,
      { ...ends, client: ends.client.place, server: ends.server.place },
      countsOf(due),
      tellerOf(this.#parts, due),
      isIncomplete,
    )
    const whole = identity ? this.#held.join(identity, record, client !== 0) : undefined
    if (whole) this.#emit(whole)
    else if (identity && isHalf && isWaiting) {
      const until = this.#now() + (this.#waitS - waitedS) * 1000
      const held = { record, isClients: client !== 0, until, awaited, known }
      for (const out of this.#held.hold(identity, held)) this.#emit(out)
    } else this.#emit(record)
    return true
  }

  /** Lets go what was waited for long enough, and what nobody can add to any more. */
  tick(): void {
    const store = this.#store
    if (!store || this.#held.size === 0) return
    for (const record of this.#held.settled(who => toldUntil(store, who))) this.#emit(record)
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
  // of an end that has closed nothing more comes
  const open = [client, server].filter(flow => !store.isClosed(flow))
  return Math.max(0, ...open.map(flow => time - store.runOf(flow).time))
}

/** Datagrams through a Service are never joined: the record is that of the client's half, which has their bytes, too. */
const isOtherHalf = (store: FlowStore, flows: Followed, server: number): boolean =>
  store.facts.isKnown &&
  protocolOf(store.table.word(server, WORD.KIND)) === UDP &&
  isSeenByClient(store, flows, server)

/** '' where it does not say which two belong together. */
function identityOf(store: FlowStore, flow: number): string {
  const isTcp = protocolOf(store.table.word(flow, WORD.KIND)) === TCP
  if (!isTcp || !store.hasIdentity(flow) || store.isMarked(flow, MARK.AMBIGUOUS)) return ''
  return `${store.table.word(flow, WORD.IDENTITY)} ${store.table.word(flow, WORD.IDENTITY_HIGH)}`
}
