/** ZeroMQ accepts without end, so connections that have not completed their handshake are counted. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Router } from 'zeromq'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'

/** ZeroMQ closes a connection that has not completed its handshake by then. */
export const HANDSHAKE_MS = 5000
const AGAIN_MS = 1000
/** Of the descriptors; the rest is for files, sinks and clients. */
const SHARE = 0.5
const MAX_CONNECTIONS = 65_536

/**
 * Counts connections without a handshake. Each of them is closed after `HANDSHAKE_MS`, so they are of this period or
 * of the one before. ZeroMQ can close none by itself: with too many an endpoint is closed with all that it has accepted, and
 * opened again; probes come back and send what was not acknowledged.
 */
export class Gate {
  /** Connections without a handshake that are allowed at once. */
  readonly max: number
  readonly #log: ThrottledLog
  readonly #doors: { readonly router: Router; readonly addresses: readonly string[] }[] = []
  #now = 0
  #before = 0
  #turning: Promise<void> | undefined

  /** @param descriptors that this process may have open */
  constructor(descriptors: number, log: ThrottledLog) {
    this.max = Math.min(Math.floor(descriptors * SHARE), MAX_CONNECTIONS)
    this.#log = log
    setInterval(() => {
      this.#before = Math.max(this.#now, 0)
      this.#now = 0
    }, HANDSHAKE_MS).unref()
  }

  watch(router: Router, addresses: readonly string[]): void {
    this.#doors.push({ router, addresses })
    const settled = () => {
      this.#now--
    }
    router.events.on('accept', () => {
      this.#now++
      if (this.#before + this.#now >= this.max) this.#turning ??= this.#turn()
    })
    router.events.on('handshake', settled)
    router.events.on('handshake:error:protocol', settled)
    router.events.on('handshake:error:auth', settled)
    router.events.on('handshake:error:other', settled)
    router.events.on('accept:error', ({ error }) =>
      this.#log.warn(
        'accept',
        `a connection was not accepted (${error.message}): raise the limit of descriptors (ulimit -n, LimitNOFILE=)`,
      ),
    )
  }

  async #turn(): Promise<void> {
    this.#log.warn(
      'strangers',
      `${this.max} connections are open without a handshake (a port scan?): all connections are closed now; probes connect again`,
    )
    for (const { router, addresses } of this.#doors)
      for (const address of addresses) {
        await router.unbind(address).catch(() => {})
        await this.#bindAgain(router, address)
      }
    this.#now = 0
    this.#before = 0
    this.#turning = undefined
  }

  async #bindAgain(router: Router, address: string): Promise<void> {
    while (!router.closed)
      try {
        return await router.bind(address)
      } catch (error) {
        if (router.closed) return
        this.#log.warn(
          'listen',
          `cannot listen on ${address} (${(error as Error).message}); trying again every second`,
        )
        await sleep(AGAIN_MS)
      }
  }
}
