/**
 * Tells systemd how the program is, sd_notify(3): ready, in which state, alive. Without $NOTIFY_SOCKET nothing happens. Node.js
 * has no datagrams of unix sockets: who opens this brings what sends them, loaded only when there is somebody to tell.
 */

import type { Logger } from 'pino'
import { every } from './guarded.ts'
import { ThrottledLog } from './throttled_log.ts'

/** Sends a datagram to a unix socket. @throws with a `code` */
type SendDatagram = (path: string, text: string) => void
export type Datagrams = () => Promise<{ readonly sendDatagram: SendDatagram }>
type Send = (text: string) => void

/** systemd reads one message after the other; while its queue is full, ours waits. */
const RETRY_MS = 100
const MAX_WAITING = 16

export class ServiceManager {
  readonly #send: Send | undefined
  readonly #log: ThrottledLog
  readonly #watchdogMs: number
  #waiting: string[] = []
  #timer: NodeJS.Timeout | undefined

  /** @param watchdogMs after which silence is taken for a fault; 0: never */
  constructor(send: Send | undefined, watchdogMs: number, log: Logger) {
    this.#send = send
    this.#watchdogMs = watchdogMs
    this.#log = new ThrottledLog(log)
  }

  static async open(
    log: Logger,
    datagrams: Datagrams,
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<ServiceManager> {
    const path = env['NOTIFY_SOCKET']
    if (!path) return new ServiceManager(undefined, 0, log)
    const { sendDatagram } = await datagrams()
    return new ServiceManager(text => sendDatagram(path, text), watchdogMs(env), log)
  }

  /** @param status one line for `systemctl status` */
  ready(status: string): void {
    this.#tell('READY=1', `STATUS=${status}`)
  }

  status(text: string): void {
    this.#tell(`STATUS=${text}`)
  }

  /** Until `ready`; with its time, which Type=notify-reload of systemd 253 wants. */
  reloading(): void {
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
  }

  stopping(): void {
    this.#tell('STOPPING=1', 'STATUS=hands over what is left')
  }

  /**
   * Says that the program is alive, at a third of what the unit's WatchdogSec= allows, as long as it is.
   * @param fault what does not go on, or undefined
   */
  watch(fault: () => string | undefined): void {
    if (this.#watchdogMs === 0) return
    const tell = () => {
      const found = fault()
      if (found === undefined) this.#tell('WATCHDOG=1')
      else this.#log.warn('watchdog', `${found}; systemd restarts this program unless it goes on`)
    }
    every(this.#watchdogMs / 3, 'the watchdog', this.#log, tell).unref()
  }

  #tell(...lines: readonly string[]): void {
    if (!this.#send) return
    this.#waiting.push(lines.map(line => line.replaceAll('\n', ' ')).join('\n'))
    // the newest matter: a state of long ago is not the state
    this.#waiting.splice(0, this.#waiting.length - MAX_WAITING)
    this.#flush()
  }

  #flush(): void {
    this.#timer = undefined
    while (this.#waiting.length > 0)
      try {
        this.#send?.(this.#waiting[0]!)
        this.#waiting.shift()
      } catch (error) {
        const { code = 'unknown error' } = error as NodeJS.ErrnoException
        if (code === 'EAGAIN') this.#timer ??= setTimeout(() => this.#flush(), RETRY_MS).unref()
        else {
          this.#waiting = []
          this.#log.warn('notify', `systemd cannot be notified (${code}); it is notified again`)
        }
        return
      }
  }
}

/** $WATCHDOG_USEC, meant for $WATCHDOG_PID: sd_watchdog_enabled(3). */
function watchdogMs(env: NodeJS.ProcessEnv): number {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid = String(process.pid) } = env
  return pid === String(process.pid) && Number(usec) > 0 ? Number(usec) / 1000 : 0
}
