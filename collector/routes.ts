/** The forms of HTTP answers, for the stages and the sinks that give them. */

import type { IncomingMessage } from 'node:http'

export interface Request {
  readonly url: URL
  /** The body as JSON; undefined when there is none. */
  readonly body: unknown
  /** Aborted when the client has gone away. */
  readonly signal: AbortSignal
}

/** An answer that is JSON already. */
export class Encoded {
  readonly json: Buffer
  constructor(json: Buffer) {
    this.json = json
  }
}

/** What it resolves to is sent as JSON. */
export type Handler = (request: Request) => Promise<unknown>

/** On the unix socket. */
export type Routes = Readonly<Record<`GET /${string}` | `POST /${string}`, Handler>>

export interface Page {
  /** 200 when left out. */
  readonly status?: number
  readonly type?: string
  readonly body: string | Buffer | AsyncIterable<string>
}

/** With headers of its own. */
export interface Answer extends Page {
  readonly headers?: Readonly<Record<string, string>>
  /** Goes on for as long as the client wants it; each piece of the body is sent at once. */
  readonly live?: true
}

/** @param gone aborted when the client has gone away */
export type Answers = (request: IncomingMessage, gone: AbortSignal) => Promise<Answer>

/** Certificate and key in PEM. */
export interface Tls {
  readonly cert: Buffer
  readonly key: Buffer
}

/** What is served over TCP at one address. */
export interface Web {
  readonly address: Address
  readonly pages?: Pages
  /** What is asked for besides the pages. */
  readonly others?: Answers
  readonly tls?: Tls | undefined
  /** Told the address once it is open; the port may have been 0. */
  readonly listens?: (url: string) => void
}

/** Over TCP, for whoever can connect. */
export type Pages = Readonly<Record<`/${string}`, () => Page>>

export interface Address {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/** An answer that is not 200; any other error is 500. */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
