/** The forms of HTTP answers, for the stages and the sinks that give them. */

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

/** Over TCP. */
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
