/** The address with a one-time token: who opens it first has a session. One is open at a time. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** As many as nobody guesses. */
const TOKEN_BYTES = 24
const LINK_MS = 15 * 60_000

export const newSecret = (): string => randomBytes(TOKEN_BYTES).toString('base64url')
export const digestOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()
/** Compares digests, which have one length, in constant time. */
export const isSecret = (digest: Buffer, given: string): boolean => timingSafeEqual(digest, digestOf(given))

export class Links {
  readonly #now: () => number
  #open: { readonly token: string; readonly until: number } | undefined

  /** @param now milliseconds that only rise */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The token of the open link. Whoever asks again gets the same one until it is used or expires. */
  token(): string {
    if (!this.#open || this.#open.until <= this.#now())
      this.#open = { token: newSecret(), until: this.#now() + LINK_MS }
    return this.#open.token
  }

  /** @returns whether it is the open link's; it is used then */
  use(token: string): boolean {
    const open = this.#open
    if (!open || !isSecret(digestOf(open.token), token) || open.until <= this.#now()) return false
    this.#open = undefined
    return true
  }
}
