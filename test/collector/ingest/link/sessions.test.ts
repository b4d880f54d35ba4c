import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { Allowed } from '../../../../collector/ingest/link/allowed.ts'
import { Sessions } from '../../../../collector/ingest/link/sessions.ts'
import {
  decodeReply,
  encodeAnswer,
  encodeHello,
  type Parties,
  proofOf,
  tokenOf,
} from '../../../../wire/link/challenge.ts'
import { generateKeys, type KeyPair, sharedSecret } from '../../../../wire/link/key.ts'
import { ThrottledLog } from '../../../../wire/process/throttled_log.ts'

const [collector, web, db] = [generateKeys(), generateKeys(), generateKeys()]
const message = [Buffer.from('window/2'), Buffer.from('{}')]

function open(t: Test) {
  const path = join(
    t.testdir({ allowed: `web1 ${web.publicKey}\nweb2 ${web.publicKey}\ndb1 ${db.publicKey}\n` }),
    'allowed',
  )
  const clock = { now: 0 }
  const log = new ThrottledLog(pino({ level: 'silent' }))
  const allowed = new Allowed(path, log, () => clock.now)
  const sessions = new Sessions(collector, allowed, log, () => clock.now)
  const hear = (route: string, frames: readonly Buffer[]) => sessions.hear(Buffer.from(route), frames)
  const reply = (route: string, frames: readonly Buffer[]) => {
    const { reply } = hear(route, frames)
    return reply && decodeReply(reply)
  }
  /** What the collector says to the proof of `with`, for the key of `as`. */
  const introduce = (route: string, host: string, as: KeyPair, by = as) => {
    const challenge = reply(route, encodeHello({ host, key: as.publicKey }))
    if (!challenge || !('nonce' in challenge)) return { said: challenge }
    const parties: Parties = { host, probe: as.publicKey, collector: collector.publicKey }
    const secret = sharedSecret(by, collector.publicKey)
    const said = reply(route, encodeAnswer(proofOf(secret, challenge.nonce, parties)))
    return { said, token: tokenOf(secret, challenge.nonce, parties), nonce: challenge.nonce }
  }
  return { path, clock, sessions, hear, reply, introduce }
}

t.test('what a probe with a proved key sends is read for the hosts of the key', async t => {
  const { hear, introduce } = open(t)
  const { said, token } = introduce('r', 'web1', web)
  t.same(said, { isWelcome: true })
  const { frames, speaker } = hear('r', [token!, ...message])
  t.same(frames, message)
  t.same(
    ['web1', 'web2'].map(host => speaker.fault(host)),
    [undefined, undefined],
  )
  t.match(speaker.fault('db1'), /the key of web1 does not speak for db1/)
  t.same(
    hear('another route', [token!, ...message]).frames,
    message,
    'the token says who it is, not the route',
  )
})

t.test('without a proof nothing is read', async t => {
  const { sessions, hear, introduce, reply } = open(t)
  t.match(introduce('a', 'web1', db).said, { denied: /not listed for web1/ })
  t.match(introduce('b', 'web1', web, db).said, { denied: /the proof of the key .* is wrong/ })
  t.match(reply('c', encodeAnswer(Buffer.alloc(32))), { denied: /too late/ })
  for (const token of [Buffer.alloc(32), Buffer.alloc(0), Buffer.from('window/2')])
    t.equal(hear('d', [token, ...message]).frames, undefined)
  t.equal(sessions.denied, 3)
})

t.test('a challenge is answered once and in time, and each is another', async t => {
  const { clock, introduce, reply } = open(t)
  const nonces = Array.from({ length: 3 }, (_, index) => String(introduce(`${index}`, 'web1', web).nonce))
  t.equal(new Set(nonces).size, 3)
  const challenge = reply('r', encodeHello({ host: 'web1', key: web.publicKey }))
  if (!challenge || !('nonce' in challenge)) throw new Error('no challenge')
  const parties = { host: 'web1', probe: web.publicKey, collector: collector.publicKey }
  const answer = encodeAnswer(proofOf(sharedSecret(web, collector.publicKey), challenge.nonce, parties))
  clock.now = 10_001
  t.match(reply('r', answer), { denied: /too late/ })
  t.equal(reply('r', answer), undefined, 'a route is told once')
})

t.test('a proof for one host is none for another', async t => {
  const { reply } = open(t)
  const challenge = reply('r', encodeHello({ host: 'web1', key: web.publicKey }))
  if (!challenge || !('nonce' in challenge)) throw new Error('no challenge')
  const parties = { host: 'web2', probe: web.publicKey, collector: collector.publicKey }
  const proof = proofOf(sharedSecret(web, collector.publicKey), challenge.nonce, parties)
  t.match(reply('r', encodeAnswer(proof)), { denied: /is wrong/ })
})

t.test('a key that is withdrawn does not count any more, on open connections, too', async t => {
  const { path, clock, sessions, hear, introduce } = open(t)
  const { token } = introduce('r', 'web1', web)
  writeFileSync(path, `web2 ${web.publicKey}\n`)
  clock.now = 1001
  const { frames, reply } = hear('r', [token!, ...message])
  t.equal(frames, undefined)
  t.match(decodeReply(reply!), { denied: /not listed for web1/ })
  t.equal(sessions.unauthenticated, 1)
  writeFileSync(path, `web1 ${web.publicKey}\n`)
  clock.now = 2002
  t.equal(hear('r', [token!, ...message]).frames, undefined, 'it connects again')
})
