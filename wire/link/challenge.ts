/**
 * Who speaks on a connection that is encrypted with CURVE. ZeroMQ lets in whoever has an allowed key, and does not tell which. So a
 * probe names its host and key, and proves that it has the key:
 *
 *     probe      hello/2     · {host, key}
 *     collector  challenge/2 · nonce           or denied/2 · why
 *     probe      answer/2    · proof
 *     collector  welcome/2                     or denied/2 · why
 *
 * Proof and token are HMAC-SHA256 under the secret that only the two long-term keys give (X25519), of both public keys, the host
 * and the nonce. Every message that follows begins with the token, and is read only if the token is known. A route says nothing: a peer
 * may choose its own, also one that ZeroMQ would give to the next (libzmq 4.3.5 counts them up from the same number in each process).
 * The token is as secret as the connection, and a recording of an earlier one has another.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isName, MalformedError, need, parse } from '../check.ts'
import { topicFrame, topicOf, VERSION, versionError } from '../version.ts'
import { isKey } from './key.ts'

export const NONCE_BYTES = 32
export const TOKEN_BYTES = 32
/** Of a hello: a host name and a key. */
const MAX_HELLO_BYTES = 4096
const MAX_REASON = 512

/** What both ends know. */
export interface Parties {
  readonly host: string
  /** Public keys. */
  readonly probe: string
  readonly collector: string
}

export interface Hello {
  readonly host: string
  /** The probe's public key. */
  readonly key: string
}

export const HELLO = 'hello'
export const ANSWER = 'answer'
const CHALLENGE = 'challenge'
const WELCOME = 'welcome'
const DENIED = 'denied'

export const encodeHello = ({ host, key }: Hello): Buffer[] => [
  topicFrame(HELLO),
  Buffer.from(JSON.stringify({ host, key })),
]
export const encodeAnswer = (proof: Buffer): Buffer[] => [topicFrame(ANSWER), proof]
export const encodeChallenge = (nonce: Buffer): Buffer[] => [topicFrame(CHALLENGE), nonce]
export const encodeWelcome = (): Buffer[] => [topicFrame(WELCOME), Buffer.alloc(0)]
export const encodeDenied = (why: string): Buffer[] => [
  topicFrame(DENIED),
  Buffer.from(why.slice(0, MAX_REASON)),
]

export const newNonce = (): Buffer => randomBytes(NONCE_BYTES)

const proven = (what: string, secret: Buffer, nonce: Buffer, { host, probe, collector }: Parties): Buffer =>
  createHmac('sha256', secret)
    .update(`sockflux link ${VERSION} ${what} ${probe} ${collector} `)
    .update(nonce)
    .update(host)
    .digest()

export const proofOf = (secret: Buffer, nonce: Buffer, parties: Parties): Buffer =>
  proven('proof', secret, nonce, parties)

/** What each message of the connection begins with. */
export const tokenOf = (secret: Buffer, nonce: Buffer, parties: Parties): Buffer =>
  proven('token', secret, nonce, parties)

export const isEqual = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

const HELLO_FIELDS = {
  host: isName,
  key: (value: unknown): boolean => typeof value === 'string' && isKey(value),
}

/** What the probe sends before its first message. */
export type Opening = { readonly hello: Hello } | { readonly proof: Buffer }

/**
 * @returns undefined when the frames are none of these
 * @throws {MalformedError} when they are, and wrong
 */
export function decodeOpening(frames: readonly Buffer[]): Opening | undefined {
  const [, content] = frames
  if (frames.length !== 2 || !content || content.length > MAX_HELLO_BYTES) return undefined
  const { topic, version } = topicOf(frames[0])
  if (version !== VERSION) throw versionError(version, 'probe', 'collector')
  if (topic === ANSWER) return { proof: content }
  if (topic !== HELLO) return undefined
  const hello = parse(content, 'hello')
  need(hello, 'hello', HELLO_FIELDS)
  return { hello: { host: hello['host'] as string, key: hello['key'] as string } }
}

/** What a collector says before it acknowledges. */
export type Reply = { readonly nonce: Buffer } | { readonly isWelcome: true } | { readonly denied: string }

/**
 * @returns undefined when the frames are none of these
 * @throws {MalformedError}
 */
export function decodeReply(frames: readonly Buffer[]): Reply | undefined {
  const { topic, version } = topicOf(frames[0])
  if (version !== VERSION) throw versionError(version, 'collector', 'probe')
  const read = REPLIES.get(topic)
  if (!read) return undefined
  const [, content] = frames
  if (frames.length !== 2 || !content)
    throw new MalformedError('frames', `${frames.length} frames of ${topic}`)
  return read(content)
}

const REPLIES: ReadonlyMap<string, (content: Buffer) => Reply> = new Map<string, (content: Buffer) => Reply>([
  [
    CHALLENGE,
    nonce => {
      if (nonce.length !== NONCE_BYTES) throw new MalformedError('nonce', `a nonce of ${nonce.length} bytes`)
      return { nonce }
    },
  ],
  [WELCOME, () => ({ isWelcome: true })],
  // a terminal shows it
  [
    DENIED,
    why => ({
      denied: why
        .toString('utf8')
        .slice(0, MAX_REASON)
        .replace(/\p{Cc}/gu, '?'),
    }),
  ],
])
