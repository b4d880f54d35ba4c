/**
 * What became of everything: the windows of each host, as the collector has heard of them, and the batches of each sink.
 * Produced = stored + refused + lost + waiting, at every moment, and over restarts where there is a spool.
 */

import { BoundedMap } from '../../wire/bounded_map.ts'
import type { WindowKey } from '../../wire/message.ts'
import { every } from '../../wire/process/guarded.ts'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'
import type { Folded } from '../ingest/folded.ts'
import type { Next } from '../ingest/listeners.ts'
import type { Settled } from '../settled.ts'
import type * as sinks from '../sinks/account.ts'
import { LedgerFile, type Saved } from './file.ts'
import { type Accounts, WindowAccount } from './windows.ts'

/** Host names come from outside; the accounts of those that were silent longest are forgotten. */
const MAX_HOSTS = 16_384
const SAVE_MS = 200
/** With many hosts it is saved less often: it takes at most so many times as long as it lasts from one time to the next. */
const SHARE = 50

/** By sink and what it writes to. */
type SinkAccounts = () => Readonly<Record<string, sinks.Accounts>>

/** What `GET /ledger` answers. */
export interface LedgerView {
  readonly since: string
  /** Where it is kept over restarts. */
  readonly file: string | undefined
  readonly probes: readonly ({ readonly host: string } & Accounts)[]
  readonly sinks: readonly ({ readonly sink: string } & sinks.Accounts)[]
}

export class Ledger implements Next {
  /** What the processes before have settled. */
  readonly saved: Saved | undefined
  readonly #file: LedgerFile | undefined
  readonly #since: string
  readonly #hosts = new BoundedMap<string, WindowAccount>(MAX_HOSTS)
  #next: Next | undefined
  #sinks: SinkAccounts = () => ({})
  #timer: NodeJS.Timeout | undefined
  #saveAt = 0

  /** @param directory of the spool; without it nothing is kept over restarts */
  constructor(directory: string | undefined, socket: string) {
    this.#file = directory === undefined ? undefined : new LedgerFile(directory, socket)
    this.saved = this.#file?.load()
    this.#since = this.saved?.since ?? new Date().toISOString()
    for (const [host, before] of Object.entries(this.saved?.probes ?? {})) this.#of(host).restore(before)
  }

  /** Where windows go, and who knows what became of their samples. */
  follow(next: Next, sinks: SinkAccounts, log: ThrottledLog): void {
    this.#next = next
    this.#sinks = sinks
    if (this.#file) this.#timer = every(SAVE_MS, 'saving the ledger', log, () => this.#save())
  }

  write(window: Folded, ifid: string, settled: Settled, border?: () => void): void {
    const end = this.#of(window.key.host).ended(window)
    const settledHere = (isKept = true) => {
      end(isKept)
      settled(isKept)
    }
    this.#next?.write(window, ifid, settledHere, border)
  }

  settled(key: WindowKey, elsewhere: boolean): void {
    this.#next?.settled(key, elsewhere)
  }

  view(): LedgerView {
    const probes = [...this.#hosts].map(([host, account]) => ({ host, ...account }))
    const sinks = Object.entries(this.#sinks()).map(([sink, accounts]) => ({ sink, ...accounts }))
    const byHost = probes.toSorted((a, b) => (a.host < b.host ? -1 : 1))
    return { since: this.#since, file: this.#file?.path, probes: byHost, sinks }
  }

  #save(): void {
    const began = performance.now()
    if (began < this.#saveAt) return
    void this.#file?.save(this.#text())
    this.#saveAt = performance.now() + SHARE * (performance.now() - began)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#file?.close(this.#text())
  }

  #text(): Saved {
    // waiting is not saved: what is on disk is found there, what was in memory is sent again
    const probes = [...this.#hosts].map(
      ([host, { stored, refused, lost }]) => [host, { stored, refused, lost }] as const,
    )
    const sinks = Object.entries(this.#sinks()).map(
      ([sink, { stored, refused, lost }]) => [sink, { stored, refused, lost }] as const,
    )
    return {
      since: this.#since,
      probes: Object.fromEntries(probes),
      sinks: { ...this.saved?.sinks, ...Object.fromEntries(sinks) },
    }
  }

  #of(host: string): WindowAccount {
    const account = this.#hosts.get(host) ?? new WindowAccount()
    this.#hosts.set(host, account)
    return account
  }
}
