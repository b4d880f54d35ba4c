/** What is behind the guard: the files of the page, the last windows, history, who talks to whom, health. */

import type { IncomingMessage } from 'node:http'
import type { Counted, Counters } from '../counters.ts'
import type { Flows } from '../flows/flows.ts'
import type { Folded } from '../ingest/folded.ts'
import { type Address, type Answer, Problem, type Tls, type Web } from '../routes.ts'
import type { HistorySource } from '../sinks/history.ts'
import { Files } from './files.ts'
import { type Door, guarded, type Refusals, type Visit } from './guard.ts'
import { healthOf } from './health.ts'
import { historyOf } from './history.ts'
import { Links } from './links.ts'
import { COLUMNS, pageWindow } from './rows.ts'
import { type Session, Sessions } from './sessions.ts'
import { connectionsOf } from './talk/connections.ts'
import { mapOf } from './talk/map.ts'
import { Turns } from './talk/turns.ts'
import { eventOf, Windows } from './windows.ts'

/** Browsers that watch at once. */
const MAX_STREAMS = 16
/** Questions that are answered at once; history is a process or a request of its own each. */
const MAX_ASKED = 8

export interface PageOptions {
  readonly address: Address
  readonly names: readonly string[]
  readonly tls: Tls | undefined
  readonly version: string
  /** Where sessions are kept over a restart; undefined: they end with the process. */
  readonly sessions: string | undefined
  readonly history: HistorySource | undefined
  readonly flows: Flows
  readonly counters: Counters
  /** Why the collector should be given nothing now; undefined when it is ready. */
  readonly unready: () => string | undefined
}

type Asked = (asked: URLSearchParams, gone: AbortSignal) => Promise<unknown>

export class Page implements Counted {
  readonly #options: PageOptions
  readonly #links = new Links()
  readonly #sessions: Sessions
  readonly #files = new Files()
  readonly #windows = new Windows()
  readonly #turns = new Turns()
  readonly #refused: Refusals & { busy: number } = {
    ...{ method: 0, address: 0, host: 0, link: 0, session: 0, site: 0, busy: 0 },
  }
  #streams = 0
  #asked = 0
  /** Seconds, the longest of the hosts. */
  #interval = 1

  /** @throws when the installation is not whole */
  constructor(options: PageOptions) {
    this.#options = options
    this.#sessions = new Sessions(options.sessions)
  }

  get web(): Web {
    const { address, names, tls } = this.#options
    const whose = tls ? 'ours' : names.length > 0 ? 'proxy' : 'none'
    const door: Door = { address, names, tls: whose, links: this.#links, sessions: this.#sessions }
    const others = guarded(door, this.#refused, (...asked) => this.#answer(...asked))
    return { address, others, tls }
  }

  /** The token of the link that opens it once. */
  token(): string {
    return this.#links.token()
  }

  /** Somebody looks at it. */
  isWatched(): boolean {
    return this.#streams > 0
  }

  take(window: Folded): void {
    this.#interval = Math.max(window.interval, 1)
    this.#windows.take(pageWindow(window, this.#windows.mostRows))
  }

  expire(): void {
    this.#windows.expire()
    this.#sessions.expire()
  }

  view() {
    return { page: { sessions: this.#sessions.size, watching: this.#streams, refused: this.#refused } }
  }

  close(): Promise<void> {
    return this.#sessions.close()
  }

  readonly #api: Readonly<Record<string, Asked>> = {
    '/api/history': (asked, gone) => historyOf(this.#options.history, asked, this.#interval, gone),
    '/api/map': asked => this.#turns.ask(`map ${asked}`, () => mapOf(this.#options.flows, asked)),
    '/api/connections': asked =>
      this.#turns.ask(`connections ${asked}`, () => connectionsOf(this.#options.flows, asked)),
    '/api/health': async () => healthOf(this.#options.counters, this.#options.unready()),
  }

  async #answer({ url, session }: Visit, request: IncomingMessage, gone: AbortSignal): Promise<Answer> {
    const { pathname, searchParams } = url
    if (pathname === '/api/live') return this.#live(session, request, gone)
    if (!Object.hasOwn(this.#api, pathname))
      return this.#files.answer(pathname, request) ?? { status: 404, body: `there is no ${pathname} here\n` }
    const type = 'application/json'
    try {
      if (this.#asked >= MAX_ASKED) throw this.#busy(`${MAX_ASKED} questions are being answered`)
      this.#asked++
      try {
        return { type, body: piece(JSON.stringify(await this.#api[pathname]!(searchParams, gone))) }
      } finally {
        this.#asked--
      }
    } catch (error) {
      const status = error instanceof Problem ? error.status : 500
      return { type, status, body: JSON.stringify({ error: (error as Error).message }) }
    }
  }

  #live(session: Session, { method }: IncomingMessage, gone: AbortSignal): Answer {
    const type = 'text/event-stream'
    if (method === 'HEAD') return { type, body: '' }
    if (this.#streams >= MAX_STREAMS)
      return { status: 503, body: `${this.#busy(`${MAX_STREAMS} browsers watch already`).message}\n` }
    const { version, history } = this.#options
    const hello = { version, columns: COLUMNS, history: history !== undefined }
    const first = `retry: 1000\n${eventOf('hello', JSON.stringify(hello))}`
    // an open tab keeps its session alive, and ends with it
    const events = this.#windows.events(first, gone, () => this.#sessions.use(session))
    this.#streams++
    gone.addEventListener('abort', () => this.#streams--, { once: true })
    return { type, live: true, body: events }
  }

  #busy(what: string): Problem {
    this.#refused.busy++
    return new Problem(503, `${what}: try again`)
  }
}

/** A body that is compressed where the browser accepts it. */
async function* piece(text: string): AsyncGenerator<string> {
  yield text
}
