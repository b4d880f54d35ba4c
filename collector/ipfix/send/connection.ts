/** A connection to a collector, once it is open. */

import { trustFault } from '../../certificate.ts'

export interface Connection {
  /** Resolves when the kernel has it. @throws when the connection has failed */
  send(bytes: Buffer): Promise<void>
  /** Why it is no longer of use, or undefined. */
  readonly failure: Error | undefined
  /** Called once, when it is no longer of use. */
  onFailure: (() => void) | undefined
  /** A send that waits for the other side fails now, and so does every later one. */
  abandon(): void
  close(): Promise<void>
}

type Send = (bytes: Buffer, done: (error?: Error | null) => void) => void

/** A send that blocks for longer than this: the collector does not read. */
const STUCK_MS = 30_000

/** What connections of every kind have in common: they fail once. */
export class Opened implements Connection {
  failure: Error | undefined
  onFailure: (() => void) | undefined
  #refuse: ((error: Error) => void) | undefined
  readonly #send: Send
  readonly #close: () => Promise<void>

  readonly #stuckMs: number

  constructor(send: Send, close: () => Promise<void>, stuckMs = STUCK_MS) {
    this.#send = send
    this.#close = close
    this.#stuckMs = stuckMs
  }

  async send(bytes: Buffer): Promise<void> {
    if (this.failure) throw this.failure
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#refuse = reject
    this.#send(bytes, error => (error ? reject(faultOf(error)) : resolve()))
    const late = setTimeout(
      () => this.fail(new Error(`the collector has read nothing for ${this.#stuckMs / 1000} s`)),
      this.#stuckMs,
    )
    await promise.finally(() => clearTimeout(late))
  }

  fail(error: Error): void {
    this.failure ??= faultOf(error)
    this.#refuse?.(this.failure)
    this.onFailure?.()
    this.onFailure = undefined
  }

  abandon(): void {
    this.fail(new Error('stopped'))
  }

  async close(): Promise<void> {
    this.onFailure = undefined
    await this.#close()
  }
}

/** A number of the system by its name; else what TLS or the resolver says. The address is in the name of who logs it. */
export function faultOf({ message, code = '', reason }: Error & { code?: string; reason?: unknown }): Error {
  const trust = trustFault(code, '--ipfix-ca')
  if (trust !== undefined) return new Error(trust)
  if (/^E(?!RR_)[A-Z]+$/.test(code)) return new Error(code)
  // the message of OpenSSL has lines, and places in its source
  return new Error(code.startsWith('ERR_SSL_') && typeof reason === 'string' ? `TLS: ${reason}` : message)
}
