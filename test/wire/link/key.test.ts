import t from 'tap'
import { curveKeyPair, Dealer, Router } from 'zeromq'
import { generateKeys, isKey, keyOf, keyPairOf, sharedSecret, z85 } from '../../../wire/link/key.ts'
import { freePort } from '../../harness/sockflux.ts'

t.test('both ends have the same secret, and nobody else', async t => {
  const [a, b, c] = [generateKeys(), generateKeys(), generateKeys()]
  t.same(sharedSecret(a, b.publicKey), sharedSecret(b, a.publicKey))
  t.notSame(sharedSecret(a, b.publicKey), sharedSecret(c, b.publicKey))
  t.same(keyPairOf(a.secretKey), a, 'the public key is made of the secret one')
  t.throws(() => sharedSecret(a, '0'.repeat(64)), 'a key that gives no secret')
})

t.test('the keys and the secret are those of RFC 7748, 6.1', async t => {
  const alice = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'
  const bob = keyPairOf('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb')
  t.equal(bob.publicKey, 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
  t.equal(
    sharedSecret(bob, alice).toString('hex'),
    '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  )
})

t.test('ZeroMQ takes them', async t => {
  // rfc.zeromq.org/spec/32: the test case of the specification is 86 4F D2 6F B5 59 F7 5B = HelloWorld
  t.match(z85(`864fd26fb559f75b${'0'.repeat(48)}`), /^HelloWorld/)
  const [server, client] = [generateKeys(), generateKeys()]
  t.equal(z85(server.publicKey).length, curveKeyPair().publicKey.length)
  const router = new Router({ linger: 0, curveServer: true, curveSecretKey: z85(server.secretKey) })
  const dealer = new Dealer({
    ...{ linger: 0, curveServerKey: z85(server.publicKey) },
    ...{ curvePublicKey: z85(client.publicKey), curveSecretKey: z85(client.secretKey) },
  })
  t.teardown(() => {
    router.close()
    dealer.close()
  })
  const endpoint = `tcp://127.0.0.1:${await freePort()}`
  await router.bind(endpoint)
  dealer.connect(endpoint)
  await dealer.send('hello')
  t.equal(String((await router.receive())[1]), 'hello')
})

t.test('a key is 64 hexadecimal digits', async t => {
  for (const text of ['', 'a'.repeat(63), 'A'.repeat(64), 'g'.repeat(64), `${'a'.repeat(64)} `])
    t.notOk(isKey(text))
  t.ok(isKey('0'.repeat(64)))
  t.equal(keyOf(Buffer.alloc(32)), '0'.repeat(64))
  t.equal(keyOf(Buffer.alloc(31)), undefined)
})
