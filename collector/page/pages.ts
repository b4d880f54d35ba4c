/** The page where it is asked for; without `--http` nothing of it is there. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Counted, Counters } from '../counters.ts'
import type { Flows } from '../flows/flows.ts'
import type { Folded } from '../ingest/folded.ts'
import { Problem, type Routes, type Web } from '../routes.ts'
import type { HistorySource } from '../sinks/history.ts'
import { collectorDirectory } from '../sinks/spools.ts'
import type { PageSettings } from './check.ts'
import { Page } from './page.ts'

interface Settings extends PageSettings {
  readonly socket: string
  readonly spool: string | undefined
}

interface Parts {
  readonly version: string
  readonly sinks: { readonly history: HistorySource | undefined }
  readonly counters: Counters
  readonly flows: Flows
}

export class Pages implements Counted {
  readonly #settings: Settings
  readonly #parts: Parts
  #page: Page | undefined
  #url: string | undefined

  constructor(settings: Settings, parts: Parts) {
    this.#settings = settings
    this.#parts = parts
  }

  readonly routes: Routes = {
    'GET /page': async () => {
      if (!this.#page)
        throw new Problem(404, 'this collector serves no page: start it with --http 127.0.0.1:9470')
      return { url: `${this.#url}/?token=${this.#page.token()}` }
    },
  }

  /**
   * @param unready why the collector should be given nothing now; undefined when it is ready
   * @throws when the certificate cannot be read, or the installation is not whole
   */
  webs(unready: () => string | undefined): Web[] {
    const { http, httpCertificate, httpKey, httpName, spool, socket } = this.#settings
    if (http === undefined) return []
    const { version, sinks, counters, flows } = this.#parts
    const tls = httpCertificate !== undefined &&
      httpKey !== undefined && { cert: readFileSync(httpCertificate), key: readFileSync(httpKey) }
    this.#page = new Page({
      ...{ address: http, names: httpName, tls: tls || undefined, version },
      ...{ sessions: sessionFile(spool, socket), history: sinks.history, flows, counters, unready },
    })
    const listens = (url: string) => {
      this.#url =
        httpName[0] === undefined
          ? url
          : tls
            ? url.replace(/\/\/.*(?=:\d+$)/, `//${httpName[0]}`)
            : `https://${httpName[0]}`
    }
    return [{ ...this.#page.web, listens }]
  }

  /** Where it is, once it is served. */
  get url(): string | undefined {
    return this.#url
  }

  isWatched(): boolean {
    return this.#page?.isWatched() ?? false
  }

  take(window: Folded): void {
    this.#page?.take(window)
  }

  expire(): void {
    this.#page?.expire()
  }

  view() {
    return this.#page?.view() ?? {}
  }

  async close(): Promise<void> {
    await this.#page?.close()
  }
}

/** Two collectors of one machine have a file each. */
function sessionFile(spool: string | undefined, socket: string): string | undefined {
  const directory = collectorDirectory(spool)
  const name = createHash('sha256').update(socket).digest('hex').slice(0, 8)
  return directory === undefined ? undefined : join(directory, `page-${name}.json`)
}
