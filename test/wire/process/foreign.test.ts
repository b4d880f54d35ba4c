import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openForeign, readForeign, refuseForeign } from '../../../wire/process/foreign.ts'
import { temporary } from '../../harness/embedded.ts'
import { needs } from '../../harness/skip.ts'

t.test('what would block or never end is not read', async t => {
  const directory = await temporary(t)
  const at = (name: string) => join(directory, name)
  execFileSync('mkfifo', [at('pipe')])
  symlinkSync('pipe', at('to a pipe'))
  symlinkSync('/dev/zero', at('device'))
  mkdirSync(at('directory'))
  writeFileSync(at('large'), Buffer.alloc(11))
  writeFileSync(at('file'), 'ten bytes.')
  for (const name of ['pipe', 'to a pipe', 'device', 'directory']) {
    t.throws(() => readForeign(at(name), 10), { message: /is no file$/ }, name)
    await t.rejects(openForeign(at(name)), { message: /is no file$/ }, name)
  }
  t.throws(() => readForeign(at('large'), 10), { message: /has 11 bytes/ })
  t.throws(() => readForeign(at('none'), 10), { code: 'ENOENT' })
  await t.rejects(openForeign(at('none')), { code: 'ENOENT' })
  t.equal(readForeign(at('file'), 10), 'ten bytes.')
  const handle = await openForeign(at('file'))
  t.equal(await handle.readFile('utf8'), 'ten bytes.')
  await handle.close()
})

t.test('root writes in no directory of another user', { skip: needs('root') }, async t => {
  const directory = await temporary(t)
  const state = join(directory, 'state')
  mkdirSync(state)
  const refused =
    (path: string, user = 0) =>
    () =>
      refuseForeign(path, '--spool', user, state)
  t.doesNotThrow(refused(state), 'its own')
  chownSync(state, 65534, 65534)
  const message =
    /state belongs to user 65534, and root does not write .*: run this as that user \(.*\), or give another --spool$/
  t.throws(refused(state), { message })
  t.throws(
    refused(join(state, 'spool/collector')),
    { message },
    'below the state of the service, not made yet',
  )
  for (const path of [
    `${directory}//state/spool`,
    `${directory}/./state/spool`,
    `${directory}/not/../state/spool/`,
  ])
    t.throws(refused(path), { message }, path)
  t.doesNotThrow(refused(`${state}2`), 'beside it')
  t.doesNotThrow(refused(state, 65534), 'as that user')
  const other = join(directory, 'other')
  symlinkSync(state, other)
  t.throws(refused(other), { message: /other belongs to user 65534/ }, 'a link to it')
})
