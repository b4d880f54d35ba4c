/** What both programs are as services: a log, somebody who watches them, and settings that are read again on SIGHUP. */

import type { Logger } from 'pino'
import type { LiveSettings } from '../settings/live.ts'
import type { Setting, Settings } from '../settings/settings.ts'
import { keepAlive } from './alive.ts'
import { openLog, setLevel } from './log.ts'
import { type Datagrams, ServiceManager } from './service_manager.ts'
import { onHangup, stopping } from './signals.ts'

/** More than settings to read again: a list of keys, a certificate. */
interface Reload {
  readonly what: string
  readonly work: () => unknown
}

export class Service {
  readonly log: Logger
  readonly #manager: ServiceManager
  readonly #settings: LiveSettings<Settings>
  readonly #reloads: Reload[] = []
  /** The last line for `systemctl status`. */
  #status = ''
  /** Reloads that were asked for: one that runs, and one more. */
  #asked = 0

  private constructor(log: Logger, manager: ServiceManager, settings: LiveSettings<Settings>) {
    this.log = log
    this.#manager = manager
    this.#settings = settings
  }

  static async open<S extends Settings & { readonly logLevel: Setting<string> }>(
    name: string,
    settings: LiveSettings<S>,
    datagrams: Datagrams,
  ): Promise<Service> {
    const log = openLog(name, String(settings.values.logLevel))
    const live = settings as unknown as LiveSettings<Settings>
    live.onChange({ logLevel: level => setLevel(String(level)) })
    return new Service(log, await ServiceManager.open(log, datagrams), live)
  }

  /** @param what for the line when it fails; the former state stays then */
  onReload(what: string, work: () => unknown): void {
    this.#reloads.push({ what, work })
  }

  /**
   * It works from now on.
   * @param status what it does until the first figures are there
   * @param fault what does not go on although it should, for the watchdog
   */
  started(fields: object, status: string, fault: () => string | undefined): void {
    this.log.info(fields, 'started')
    this.#status = status
    this.#manager.ready(this.#status)
    this.#manager.watch(fault)
    const file = this.#settings.values['aliveFile']
    if (typeof file === 'string') keepAlive(file, fault, this.log)
    onHangup(() => void this.#reloadInTurn())
    stopping().addEventListener('abort', () => this.#manager.stopping(), { once: true })
  }

  /** One line for `systemctl status`. */
  status(text: string): void {
    this.#status = text
    this.#manager.status(text)
  }

  /** One at a time, so that what was read last is in force; any number of signals meanwhile are one more. */
  async #reloadInTurn(): Promise<void> {
    this.#asked = Math.min(this.#asked + 1, 2)
    if (this.#asked > 1) return
    for (; this.#asked > 0; this.#asked--) await this.#reload()
  }

  async #reload(): Promise<void> {
    this.#manager.reloading()
    const { problem, warnings, changed, kept } = this.#settings.reload()
    if (problem !== undefined)
      this.log.error(`the settings have a mistake (${problem}); those from before stay in force`)
    for (const warning of warnings) this.log.warn(warning)
    if (kept.length > 0)
      this.log.warn(`only a restart changes ${kept.join(', ')}; what they were stays in force`)
    for (const { what, work } of this.#reloads)
      try {
        await work()
      } catch (error) {
        this.log.error(`${what}: ${(error as Error).message}; what was there before stays in force`)
      }
    if (problem === undefined) this.log.info({ changed }, 'reloaded')
    this.#manager.ready(this.#status)
  }
}
