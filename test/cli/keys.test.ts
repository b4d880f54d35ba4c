import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keyPairOf } from '../../wire/link/key.ts'
import { readPublic, readSecret } from '../../wire/link/key_files.ts'
import { ended, SOCKFLUX } from '../harness/sockflux.ts'

t.jobs = 4

function directory(t: Test) {
  const path = mkdtempSync(join(tmpdir(), 'sockflux-keys-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  const keys = (...words: string[]) => ended([...SOCKFLUX, 'keys', ...words, '--keys', join(path, 'keys')])
  return { keys, path: (name: string) => join(path, 'keys', name) }
}

t.test('from nothing to an allowed key, with the commands that are printed', async t => {
  const { keys, path } = directory(t)
  t.match(await keys('show'), { code: 0, stdout: /^no keys in / })
  t.match(await keys('generate', 'collector'), { code: 0, stdout: /collector\.key is made/ })
  const { stdout } = await keys('generate', 'probe', '--host', "o'brien".replace("'", '-'))
  const [, host, key] = /sockflux keys allow '(.*)' ([0-9a-f]{64})$/m.exec(stdout) ?? []
  t.same([host, key], ['o-brien', readSecret(path('probe.key')).publicKey])
  for (const name of ['collector.key', 'probe.key']) t.equal(statSync(path(name)).mode & 0o777, 0o600, name)
  t.same(readPublic(path('collector.pub')), [readSecret(path('collector.key')).publicKey])
  t.match(await keys('allow', host!, key!), { code: 0, stdout: /o-brien is allowed with this key/ })
  t.match(await keys('allow', host!, key!), { code: 0, stdout: /already/ })
  t.equal(readFileSync(path('allowed'), 'utf8'), `o-brien ${key}\n`)
  const shown = await keys('show')
  t.match(shown.stdout, `o-brien ${key}`)
  t.notMatch(shown.stdout + stdout, readSecret(path('probe.key')).secretKey, 'no secret')
})

t.test('a key is replaced by a second one beside it', async t => {
  const { keys, path } = directory(t)
  await keys('generate', 'probe', '--host', 'web1')
  const before = readFileSync(path('probe.key'), 'utf8')
  t.match(await keys('generate', 'probe'), {
    code: 1,
    stderr: /is there already: .* --stage makes the next one/,
  })
  t.equal((await keys('generate', 'probe', '--host', 'web1', '--stage')).code, 0)
  t.equal(readFileSync(path('probe.key'), 'utf8'), before)
  const [first, second] = [path('probe.key'), path('probe.key.new')].map(file => readSecret(file).publicKey)
  await keys('allow', 'web1', first!)
  t.match(await keys('allow', 'web1', second!), { stdout: /It has 2 keys now: withdraw the old one/ })
  t.match(await keys('withdraw', first!), { code: 0, stdout: /^1 line is withdrawn/ })
  t.equal(readFileSync(path('allowed'), 'utf8'), `web1 ${second}\n`)
  t.equal((await keys('generate', 'probe', '--force')).code, 0)
  t.notSame(readFileSync(path('probe.key'), 'utf8'), before)
})

t.test('comments and other hosts stay when a host is withdrawn', async t => {
  const { keys, path } = directory(t)
  await keys('generate', 'collector')
  const key = keyPairOf('1'.repeat(64)).publicKey
  writeFileSync(path('allowed'), `# ours\nweb1 ${key}\nweb10 ${key}\n\nweb1 ${'a'.repeat(64)}`)
  t.match(await keys('withdraw', 'web1'), { code: 0, stdout: /^2 lines are withdrawn/ })
  t.equal(readFileSync(path('allowed'), 'utf8'), `# ours\nweb10 ${key}\n`)
  t.match(await keys('withdraw', 'web1'), { code: 1, stderr: /lists no host or key web1/ })
})

t.test('what is typed wrong is said', async t => {
  const { keys } = directory(t)
  const key = 'a'.repeat(64)
  for (const [words, says] of [
    [['generate', 'sensor'], /sensor has no keys: write collector or probe/],
    [['generate', 'probe', '--host', 'a,b'], /a,b is not a host's name: needs a host name without commas/],
    [['allow', 'web1', 'abc'], /abc is not a public key, which has 64 hexadecimal digits/],
    [['allow', ' web1', key], /is not a host's name/],
  ] as const) {
    const { code, stderr } = await keys(...words)
    t.equal(code, 1)
    t.match(stderr, says)
  }
})
