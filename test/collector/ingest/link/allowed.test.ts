import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { Allowed } from '../../../../collector/ingest/link/allowed.ts'
import { generateKeys } from '../../../../wire/link/key.ts'
import { ThrottledLog } from '../../../../wire/process/throttled_log.ts'

const [a, b] = [generateKeys().publicKey, generateKeys().publicKey]

function open(t: Test, content: string | Record<string, string>) {
  const path = join(t.testdir({ allowed: content }), 'allowed')
  const said: string[] = []
  const clock = { now: 0 }
  const log = new ThrottledLog(pino({}, { write: line => said.push(JSON.parse(line).msg) }))
  const allowed = new Allowed(path, log, () => clock.now)
  return { path, said, clock, allowed, hosts: (key: string) => [...(allowed.hostsOf(key) ?? [])] }
}

t.test('a host may have several keys, and a key several hosts', async t => {
  const { hosts, allowed } = open(t, `# all\nweb1 ${a}\nweb1 ${b}\n  web 2\t${a}\r\n`)
  t.same([hosts(a), hosts(b)], [['web1', 'web 2'], ['web1']])
  t.equal(allowed.size, 2)
  t.ok(allowed.isBound('web1'))
  t.notOk(allowed.isBound('web3'))
})

t.test('what changes counts after a second, or at once when it is told', async t => {
  const { path, clock, hosts, allowed } = open(t, `web1 ${a}\n`)
  writeFileSync(path, `db1 ${a}\n`)
  t.same(hosts(a), ['web1'])
  clock.now = 1001
  t.same(hosts(a), ['db1'])
  writeFileSync(path, '')
  allowed.reload()
  t.same(hosts(a), [])
})

t.test('a list that is gone lists nobody', async t => {
  const { path, clock, hosts } = open(t, `web1 ${a}\n`)
  rmSync(path)
  clock.now = 1001
  t.same(hosts(a), [])
})

t.test('a list with a mistake does not count: the last one that was right does', async t => {
  const { path, clock, hosts, said } = open(t, `web1 ${a}\n`)
  for (const wrong of ['web1\n', `web1 ${a}x\n`, `${a}\n`, `${'h'.repeat(254)} ${a}\n`]) {
    writeFileSync(path, `# x\n${wrong}`)
    clock.now += 1001
    t.same(hosts(a), ['web1'], wrong)
  }
  t.equal(said.length, 1, 'one line a minute')
  t.match(
    said[0],
    /allowed:2: needs a host name and its public key.*; the list of keys as it was before counts on/,
  )
  t.throws(
    () => new Allowed(path, undefined as never),
    { message: /allowed:2: / },
    'at the start it is an error',
  )
  writeFileSync(path, `db1 ${a}\n`)
  clock.now += 1001
  t.same(hosts(a), ['db1'])
})

t.test('a directory has a list in each file', async t => {
  const { path, clock, hosts } = open(t, {
    one: `web1 ${a}\n`,
    two: `web2 ${a}\n`,
    '.three': `web3 ${a}\n`,
    'two~': 'x',
  })
  t.same(hosts(a), ['web1', 'web2'])
  rmSync(join(path, 'one'))
  writeFileSync(join(path, 'four'), `web4 ${b}\n`)
  clock.now = 1001
  t.same([hosts(a), hosts(b)], [['web2'], ['web4']])
  mkdirSync(join(path, 'five'))
  clock.now += 1001
  t.same(hosts(b), ['web4'], 'what is no file is a mistake')
})
