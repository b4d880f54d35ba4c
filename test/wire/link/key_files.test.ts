import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { curvesOf } from '../../../wire/link/curves.ts'
import { generateKeys } from '../../../wire/link/key.ts'
import { readListed, readPublic, readSecret } from '../../../wire/link/key_files.ts'
import { needs } from '../../harness/skip.ts'

const own = generateKeys()

t.test('a secret that others can read is refused, whatever the bits', async t => {
  const file = join(t.testdir({ key: `# a comment\n\n${own.secretKey}\r\n` }), 'key')
  for (const mode of [0o600, 0o400, 0o640, 0o440]) {
    chmodSync(file, mode)
    t.same(readSecret(file), own, mode.toString(8))
  }
  for (const mode of [0o644, 0o604, 0o660, 0o602, 0o601, 0o777]) {
    chmodSync(file, mode)
    t.throws(() => readSecret(file), {
      message: /can be read by other users \(mode 0\d+\), who may have the secret/,
    })
  }
})

t.test('a secret of another user is refused', { skip: needs('root') }, async t => {
  const file = join(t.testdir({ key: own.secretKey }), 'key')
  chmodSync(file, 0o600)
  chownSync(file, 65_534, 65_534)
  t.throws(() => readSecret(file), { message: /belongs to user 65534: it must belong to root/ })
})

t.test('a list that another user can write lets nobody in', { skip: needs('root') }, async t => {
  const directory = t.testdir({ allowed: `web1 ${own.publicKey}\n`, 'collector.pub': own.publicKey })
  for (const read of [
    () => readListed(join(directory, 'allowed')),
    () => readPublic(join(directory, 'collector.pub')),
  ]) {
    t.equal(read().length, 1)
    for (const name of ['allowed', 'collector.pub']) chmodSync(join(directory, name), 0o646)
    t.throws(read, { message: /(allowed|collector\.pub) can be written by other users, .* chmod o-w it$/ })
    for (const name of ['allowed', 'collector.pub']) {
      chmodSync(join(directory, name), 0o664)
      chownSync(join(directory, name), 65_534, 0)
    }
    t.throws(read, { message: /belongs to user 65534, who could let anybody in: chown it to root/ })
    for (const name of ['allowed', 'collector.pub']) chownSync(join(directory, name), 0, 65_534)
    t.equal(read().length, 1, 'a group may keep the list')
  }
})

t.test('what is no key is refused in a sentence, without the secret', async t => {
  const directory = t.testdir({
    empty: '',
    two: `${own.secretKey}\n${own.secretKey}\n`,
    word: `x${own.secretKey}\n`,
  })
  for (const name of ['empty', 'two', 'word']) {
    chmodSync(join(directory, name), 0o600)
    t.throws(() => readSecret(join(directory, name)), {
      message: /has no secret key: one line of 64 hexadecimal digits/,
    })
  }
  t.throws(() => readSecret(join(directory, 'none')), { message: /^there is no .*none$/ })
  t.throws(() => readSecret(directory), { message: /is no file/ })
  execFileSync('mkfifo', [join(directory, 'fifo')])
  t.throws(() => readSecret(join(directory, 'fifo')), { message: /is no file/ })
  try {
    readSecret(join(directory, 'word'))
  } catch (error) {
    t.notMatch((error as Error).message, own.secretKey)
  }
})

t.test('a probe has one key and takes any of several of collectors, from files and as they are', async t => {
  const [a, b] = [generateKeys().publicKey, generateKeys().publicKey]
  const directory = t.testdir({
    'probe.key': own.secretKey,
    'collector.pub': `${a}\n# old\n${b}\n`,
    other: `web1 ${b}\n`,
  })
  chmodSync(join(directory, 'probe.key'), 0o600)
  const keysOf = (...collectorKey: string[]) =>
    curvesOf({ keys: directory, collectorKey }).map(({ collector }) => collector)
  t.same(keysOf(), [a, b])
  t.same(keysOf(b), [b])
  t.same(keysOf(a, join(directory, 'other'), b), [a, b], 'each once')
  writeFileSync(join(directory, 'other'), `${a}\nnot a key\n`)
  t.throws(() => readPublic(join(directory, 'other')), { message: /other:2: this is no public key/ })
  writeFileSync(join(directory, 'collector.pub'), '# none\n')
  t.throws(() => keysOf(), { message: /collector\.pub has no public key of a collector/ })
})
