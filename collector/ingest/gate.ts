/**
 * ZeroMQ accepts without end, so the connections of all endpoints are counted: with too many of them the endpoints are
 * closed to new ones, until some have gone.
 */

import type { Router } from 'zeromq'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'

const AGAIN_MS = 1000
/** Of the descriptors; the rest is for files, sinks and clients. */
const SHARE = 0.5
const MOST_CONNECTIONS = 65_536

export class Gate {
  /** Connections of probes that are served. */
  readonly max: number
  readonly #log: ThrottledLog
  readonly #doors: { readonly router: Router; readonly addresses: readonly string[] }[] = []
  #connections = 0
  #isOpen = true
  #turning: Promise<void> = Promise.resolve()

  /** @param descriptors that this process may have open */
  constructor(descriptors: number, log: ThrottledLog) {
    this.max = Math.min(Math.floor(descriptors * SHARE), MOST_CONNECTIONS)
    this.#log = log
  }

  watch(router: Router, addresses: readonly string[]): void {
    this.#doors.push({ router, addresses })
    router.events.on('accept', () => {
      this.#connections++
      if (this.#connections >= this.max) this.#shut(`there are ${this.#connections} connections`)
    })
    router.events.on('accept:error', ({ error }) => this.#shut(`a connection failed: ${error.message}`))
    router.events.on('disconnect', () => {
      this.#connections--
    })
  }

  #shut(why: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#log.warn(
      'connections',
      `${why}; at most ${this.max} are served, no new one until some have gone: raise the limit of descriptors (ulimit -n, LimitNOFILE=)`,
    )
    this.#turn('unbind')
    const timer = setInterval(() => {
      if (this.#connections >= this.max) return
      clearInterval(timer)
      this.#isOpen = true
      this.#turn('bind')
    }, AGAIN_MS).unref()
  }

  #turn(how: 'bind' | 'unbind'): void {
    this.#turning = this.#turning.then(async () => {
      for (const { router, addresses } of this.#doors)
        for (const address of addresses)
          if (!router.closed)
            await router[how](address).catch(({ message }: Error) => {
              if (router.closed) return
              this.#log.warn('listen', `cannot ${how} ${address} (${message}); it is tried again`)
              if (how === 'bind') setTimeout(() => this.#turn('bind'), AGAIN_MS).unref()
            })
    })
  }
}
