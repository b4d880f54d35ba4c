import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { pathFault, type Trusted } from '../../../wire/link/trusted_path.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'

const OWN: Trusted = { uids: new Set([0, process.getuid!()]), gids: new Set([0]) }
const NOBODY = 65_534

/** A socket in a directory within another. */
async function socketIn(t: Test) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const root = await scratch(cleanup, 'trust')
  const directory = join(root, 'run')
  mkdirSync(directory)
  const path = join(directory, 'link.sock')
  const server = createServer().listen(path)
  await once(server, 'listening')
  cleanup.defer(() => server.close())
  return { root, directory, path }
}

t.test('a socket of ours below directories of ours is trusted, in /tmp and by a link, too', async t => {
  const { root, directory, path } = await socketIn(t)
  t.equal(pathFault(path, OWN, 'socket'), undefined)
  chmodSync(path, 0o666)
  t.equal(pathFault(path, OWN, 'socket'), undefined, 'others may connect')
  symlinkSync(directory, join(root, 'link'))
  symlinkSync('run/link.sock', join(root, 'relative'))
  t.equal(pathFault(join(root, 'link', 'link.sock'), OWN, 'socket'), undefined)
  t.equal(pathFault(join(root, 'relative'), OWN, 'socket'), undefined)
  chmodSync(directory, 0o1777)
  t.equal(pathFault(path, OWN, 'socket'), undefined, 'a sticky directory keeps what is ours')
})

t.test('where others may write, another may have put it there', async t => {
  const { root, directory, path } = await socketIn(t)
  for (const [at, mode] of [
    [directory, 0o777],
    [directory, 0o702],
    [root, 0o757],
  ] as const) {
    chmodSync(at, mode)
    t.match(
      pathFault(path, OWN, 'socket'),
      /other users can put a socket of their own \(mode 7\d\d\): chmod go-w/,
    )
    chmodSync(at, 0o755)
  }
  symlinkSync(join(root, 'loop'), join(root, 'loop'))
  t.match(pathFault(join(root, 'loop'), OWN, 'socket'), /more than 40 symbolic links/)
  t.match(pathFault(directory, OWN, 'socket'), /is no socket/)
  rmSync(path)
  t.throws(() => pathFault(path, OWN, 'socket'), { code: 'ENOENT' })
})

t.test(
  'what belongs to another user is not trusted, unless the user is',
  { skip: needs('root') },
  async t => {
    const { root, directory, path } = await socketIn(t)
    for (const at of [path, directory, root]) {
      chownSync(at, NOBODY, NOBODY)
      t.match(pathFault(path, OWN, 'socket'), new RegExp(`^${at} belongs to user 65534, who is not trusted`))
      t.equal(pathFault(path, { ...OWN, uids: new Set([0, NOBODY]) }, 'socket'), undefined)
      chownSync(at, 0, 0)
    }
    chownSync(directory, 0, NOBODY)
    chmodSync(directory, 0o770)
    t.match(pathFault(path, OWN, 'socket'), /other users can put/, 'a group')
    chownSync(directory, 0, 0)
    t.equal(pathFault(path, OWN, 'socket'), undefined, 'the group of root')
  },
)
