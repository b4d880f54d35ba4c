/** What other users of the machine may have put where a spool is to be. */

import { chmodSync, chownSync, lchownSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ownDirectory } from '../../../wire/spool/directory.ts'
import { needs } from '../../harness/skip.ts'
import { directory, filesIn, opened, windowItem } from './given.ts'

const NOBODY = 65_534
const root = { skip: needs('root') }

t.test('a directory is made with those above it, for its owner alone', async t => {
  const path = join(await directory(t), 'a b', 'c')
  ownDirectory(path)
  ownDirectory(path)
  t.equal(statSync(path).mode & 0o777, 0o700)
  t.throws(() => ownDirectory('/proc/nowhere'), { code: 'ENOENT' })
})

t.test('where other users can write there is no spool, and nothing is written', root, async t => {
  const parent = await directory(t)
  const elsewhere = join(parent, 'elsewhere')
  mkdirSync(elsewhere)
  const path = join(parent, 'spool')
  const refused = async (says: RegExp) => {
    await t.rejects(opened(path), { message: says })
    t.same(filesIn(elsewhere), [])
  }
  symlinkSync(elsewhere, join(parent, 'link'))
  ownDirectory(join(parent, 'link', 'ours'))
  mkdirSync(path)
  for (const mode of [0o777, 0o702, 0o1777]) {
    chmodSync(path, mode)
    await refused(
      /^cannot use the spool \S+ \(in \S+spool other users can put files of their own \(mode \d+\): chmod go-w it/,
    )
  }
  chmodSync(path, 0o700)
  chownSync(path, NOBODY, NOBODY)
  await refused(/spool belongs to user 65534, who is not trusted: stop what made it\)/)
  chownSync(path, 0, NOBODY)
  chmodSync(path, 0o770)
  await refused(/other users can put files/)
  chmodSync(path, 0o750)
  const { spool } = await opened(path)
  await spool.append([windowItem(1)])
  await spool.close()
  for (const mode of [0o777, 0o1777]) {
    chmodSync(parent, mode) // as volumes of Kubernetes, and /tmp: what others put there is theirs
    await opened(path).then(({ spool }) => spool.close())
  }
  await opened(join(parent, 'new', 'spool')).then(({ spool }) => spool.close())
})

t.test('a link of another user is not followed', root, async t => {
  const parent = await directory(t)
  chmodSync(parent, 0o1777) // as /tmp
  const victim = join(parent, 'victim')
  mkdirSync(victim)
  const path = join(parent, 'spool')
  symlinkSync(victim, path)
  lchownSync(path, NOBODY, NOBODY)
  await t.rejects(opened(path), /spool belongs to user 65534/)
  t.same(readdirSync(victim), [])
})
