/** ZeroMQ accepts without end, so connections are counted: those that have completed their handshake, and those that have not. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Router } from 'zeromq'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'

/** ZeroMQ closes a connection that has not completed its handshake by then. */
export const HANDSHAKE_MS = 5000
const AGAIN_MS = 1000
/** Of the descriptors: for connections without a handshake and with one; the rest is for files, sinks and clients. */
const SHARE = 0.5
const ESTABLISHED_SHARE = 0.25
const MAX_CONNECTIONS = 65_536

type Bind = (address: string) => Promise<void>

/**
 * A connection without a handshake is closed after `HANDSHAKE_MS`, so those that count are of this period or of the one before.
 * ZeroMQ can close none by itself: with too many an endpoint is closed with all that it has accepted, and opened again; probes
 * come back and send what was not acknowledged. One more with a handshake than there may be is refused in it.
 */
export class Gate {
  /** Connections without a handshake that are allowed at once. */
  readonly max: number
  readonly #log: ThrottledLog
  readonly #doors: { readonly router: Router; readonly addresses: readonly string[]; readonly bind: Bind }[] =
    []
  readonly #maxEstablished: number
  #now = 0
  #before = 0
  #established = 0
  /** Handshakes that failed, and whose connection has not ended yet. */
  #failed = 0
  #turning: Promise<void> | undefined

  /**
   * @param descriptors that this process may have open
   * @param maxEstablished connections with a handshake
   */
  constructor(descriptors: number, log: ThrottledLog, maxEstablished = MAX_CONNECTIONS) {
    this.max = Math.min(Math.floor(descriptors * SHARE), MAX_CONNECTIONS)
    this.#maxEstablished = Math.min(maxEstablished, Math.floor(descriptors * ESTABLISHED_SHARE))
    this.#log = log
    setInterval(() => {
      this.#before = Math.max(this.#now, 0)
      this.#now = 0
    }, HANDSHAKE_MS).unref()
  }

  /** Whether there is no room for one more connection. */
  get isFull(): boolean {
    return this.#established >= this.#maxEstablished
  }

  /** @param bind opens one of the addresses again */
  watch(router: Router, addresses: readonly string[], bind: Bind): void {
    this.#doors.push({ router, addresses, bind })
    const failed = () => {
      this.#now--
      this.#failed++
    }
    router.events.on('accept', () => {
      this.#now++
      if (this.#before + this.#now >= this.max) this.#turning ??= this.#turn()
    })
    router.events.on('handshake', () => {
      this.#now--
      this.#established++
    })
    router.events.on('handshake:error:protocol', ({ address }) => {
      failed()
      this.#log.warn(
        'handshake',
        `a connection to ${address} was refused: it is encrypted where we are not or the other way round, or it is no probe; see --listen and --collector`,
      )
    })
    router.events.on('handshake:error:auth', failed)
    router.events.on('handshake:error:other', failed)
    // of a failed handshake, too
    router.events.on('disconnect', () => {
      if (this.#failed > 0) this.#failed--
      else if (this.#established > 0) this.#established--
    })
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
    for (const { router, addresses, bind } of this.#doors)
      for (const address of addresses) {
        await router.unbind(address).catch(() => {})
        await this.#bindAgain(router, address, bind)
      }
    this.#now = 0
    this.#before = 0
    this.#established = 0
    this.#failed = 0
    this.#turning = undefined
  }

  async #bindAgain(router: Router, address: string, bind: Bind): Promise<void> {
    while (!router.closed)
      try {
        return await bind(address)
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
