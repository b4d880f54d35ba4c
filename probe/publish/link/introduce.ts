/** Proves to a collector which key we have, `wire/link/challenge.ts`. */

import {
  decodeReply,
  encodeAnswer,
  encodeHello,
  type Parties,
  proofOf,
  type Reply,
  tokenOf,
} from '../../../wire/link/challenge.ts'
import type { Curve } from '../../../wire/link/curves.ts'
import { sharedSecret } from '../../../wire/link/key.ts'
import type { Dialled } from './dial.ts'

const INTRODUCE_MS = 5000

/** What each message begins with; or why the collector does not take us. */
export type Introduced = { readonly token: Buffer } | { readonly why: string }

export async function introduce(
  dialled: Dialled,
  host: string,
  { own, collector }: Curve,
): Promise<Introduced> {
  const late = setTimeout(() => dialled.close(), INTRODUCE_MS)
  try {
    const parties: Parties = { host, probe: own.publicKey, collector }
    const { socket } = dialled
    await socket.send(encodeHello({ host, key: own.publicKey }))
    const challenge = expected(decodeReply(await socket.receive()), 'nonce')
    if ('why' in challenge) return challenge
    const secret = sharedSecret(own, collector)
    await socket.send(encodeAnswer(proofOf(secret, challenge.nonce, parties)))
    const welcome = expected(decodeReply(await socket.receive()), 'isWelcome')
    return 'why' in welcome ? welcome : { token: tokenOf(secret, challenge.nonce, parties) }
  } catch (error) {
    return { why: dialled.socket.closed ? 'it ended the connection' : (error as Error).message }
  } finally {
    clearTimeout(late)
  }
}

function expected<K extends 'nonce' | 'isWelcome'>(
  reply: Reply | undefined,
  what: K,
): Extract<Reply, Record<K, unknown>> | { readonly why: string } {
  if (reply && what in reply) return reply as Extract<Reply, Record<K, unknown>>
  return { why: reply && 'denied' in reply ? reply.denied : 'it does not answer as a collector does' }
}
