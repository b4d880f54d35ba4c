/** Connections whose peer has proved which key it has, `wire/link/challenge.ts`: what it sends is read for the hosts of that key. */

import { BoundedMap } from '../../../wire/bounded_map.ts'
import {
  decodeOpening,
  encodeChallenge,
  encodeDenied,
  encodeWelcome,
  type Hello,
  isEqual,
  newNonce,
  type Parties,
  proofOf,
  TOKEN_BYTES,
  tokenOf,
} from '../../../wire/link/challenge.ts'
import { type KeyPair, sharedSecret } from '../../../wire/link/key.ts'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import type { Allowed } from './allowed.ts'
import { anybody, type Heard, type Speaker } from './speaker.ts'
import type { Route } from './transport.ts'

/** Sessions, and unanswered challenges; beyond it the one that was used longest ago goes, and its probe connects again. */
const MAX_SESSIONS = 16_384
/** A challenge is to be answered by then. */
const ANSWER_MS = 10_000

interface Challenged extends Hello {
  readonly nonce: Buffer
  readonly until: number
}

interface Session extends Speaker {
  readonly key: string
  readonly host: string
}

export class Sessions {
  /** Messages without a session, or with one that does not count any more. */
  unauthenticated = 0
  /** Openings: of a key for a host that is not listed with it, or without the key. */
  denied = 0
  readonly #keys: KeyPair
  readonly #allowed: Allowed
  readonly #log: ThrottledLog
  readonly #now: () => number
  /** By route. */
  readonly #challenged = new BoundedMap<string, Challenged>(MAX_SESSIONS)
  /** By token. */
  readonly #sessions = new BoundedMap<string, Session>(MAX_SESSIONS)
  /** Routes that were told so: once. */
  readonly #told = new BoundedMap<string, true>(MAX_SESSIONS)
  /** By public key: X25519 takes 60 us, and the keys are those of the list. */
  readonly #secrets = new BoundedMap<string, Buffer>(MAX_SESSIONS)

  /** @param now milliseconds that only rise */
  constructor(
    keys: KeyPair,
    allowed: Allowed,
    log: ThrottledLog,
    now: () => number = () => performance.now(),
  ) {
    this.#keys = keys
    this.#allowed = allowed
    this.#log = log
    this.#now = now
  }

  /** @throws {MalformedError} for what is neither a message of a session nor an opening */
  hear(route: Route, frames: readonly Buffer[]): Heard {
    const [token, ...message] = frames
    const session = token?.length === TOKEN_BYTES ? this.#sessions.get(token.toString('latin1')) : undefined
    if (session && this.#isAllowed(session)) return { speaker: session, frames: message }
    if (session) this.#sessions.delete(token!.toString('latin1'))
    return { speaker: anybody, reply: this.#opening(route, frames, session) }
  }

  #opening(route: Route, frames: readonly Buffer[], former?: Session): Buffer[] | undefined {
    const opening = former ? undefined : decodeOpening(frames)
    if (opening && 'hello' in opening) return this.#challenge(route, opening.hello)
    if (opening) return this.#answered(route, opening.proof)
    this.unauthenticated++
    const what = former
      ? `${former.host} is not read any more (its key was withdrawn)`
      : 'a message was not read (who sent it has not proved its key on this connection)'
    this.#log.warn('unauthenticated', `${what}; if it is a probe, it connects again`, former?.host)
    return this.#once(route, former ? this.#notListed(former) : 'the connection is not known any more')
  }

  #challenge(route: Route, hello: Hello): Buffer[] | undefined {
    if (!this.#isAllowed(hello)) return this.#deny(route, this.#notListed(hello), hello.host)
    const nonce = newNonce()
    this.#challenged.set(idOf(route), { ...hello, nonce, until: this.#now() + ANSWER_MS })
    return encodeChallenge(nonce)
  }

  #answered(route: Route, proof: Buffer): Buffer[] | undefined {
    const challenged = this.#challenged.peek(idOf(route))
    this.#challenged.delete(idOf(route)) // one attempt
    if (!challenged || this.#now() > challenged.until) return this.#deny(route, 'the answer came too late')
    const { host, key, nonce } = challenged
    const parties: Parties = { host, probe: key, collector: this.#keys.publicKey }
    const secret = this.#secret(key)
    if (!secret || !isEqual(proof, proofOf(secret, nonce, parties)))
      return this.#deny(route, `the proof of the key ${key} is wrong`, host)
    this.#sessions.set(tokenOf(secret, nonce, parties).toString('latin1'), this.#session(challenged))
    return encodeWelcome()
  }

  #session({ host, key }: Hello): Session {
    return {
      ...{ host, key },
      fault: wanted =>
        this.#allowed.hostsOf(key)?.has(wanted)
          ? undefined
          : `the key of ${host} does not speak for ${wanted}: list it with that host if it should (sockflux keys allow)`,
    }
  }

  #secret(key: string): Buffer | undefined {
    const known = this.#secrets.get(key)
    if (known) return known
    try {
      const secret = sharedSecret(this.#keys, key)
      this.#secrets.set(key, secret)
      return secret
    } catch {
      return undefined // a key that is no point of the curve's group
    }
  }

  #isAllowed = ({ host, key }: Hello): boolean => this.#allowed.hostsOf(key)?.has(host) === true

  #notListed = ({ host, key }: Hello): string =>
    `the key is not listed for ${host}: on the collector's machine, sockflux keys allow '${host}' ${key}`

  #deny(route: Route, why: string, host = ''): Buffer[] | undefined {
    this.denied++
    this.#log.warn('denied', `a connection${host && ` for ${host}`} was denied: ${why}`, host)
    return this.#once(route, why)
  }

  #once(route: Route, why: string): Buffer[] | undefined {
    if (this.#told.has(idOf(route))) return undefined
    this.#told.set(idOf(route), true)
    return encodeDenied(why)
  }
}

const idOf = (route: Route): string => route.toString('latin1')
