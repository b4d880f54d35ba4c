/** A clone may lie in any folder, be moved and copied; folders that cannot work are refused before anything changes. */

import { existsSync, readdirSync, renameSync } from 'node:fs'
import { cp, mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { REPOSITORY } from '../harness/repository.ts'
import { scratch } from '../harness/scratch.ts'
import { ended } from '../harness/sockflux.ts'

const WORKS = [
  'my apps',
  "it's",
  '(1)',
  '-rf',
  '$HOME',
  '$(touch x)',
  '`touch x`',
  'a;touch x',
  'a&b',
  '"',
  '#%?',
  '[a]{b}',
  'ü 中',
  'a\tb',
  'a|b>c',
]
const REFUSED = ['a:b', 'a\\b', 'a\nb', 'a*b', '*']

/** A clone in `<scratch>/<folder>/sockflux` with built files in it, and other folders beside it. */
async function clone(t: Test, folder: string) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const above = await scratch(cleanup, 'folder')
  const root = join(above, folder, 'sockflux')
  for (const path of ['Makefile', 'deploy', 'cli/sockflux.ts'])
    await cp(join(REPOSITORY, path), join(root, path), { recursive: true })
  for (const made of ['build/node/bin', 'build/npm', 'dist/cli', 'node_modules/x', '.tap', 'native/build'])
    await mkdir(join(root, made), { recursive: true })
  await symlink(process.execPath, join(root, 'build/node/bin/node'))
  const program =
    'console.log(JSON.stringify([import.meta.dirname, process.argv.slice(2), process.execArgv]))'
  await writeFile(join(root, 'dist/cli/sockflux.js'), program)
  await writeFile(join(root, 'dist/package.json'), '{"type":"module"}')
  for (const word of ['my', 'a', 'precious']) await mkdir(join(above, word, 'precious'), { recursive: true })
  return { above, root }
}

const make = (root: string, ...words: string[]) =>
  ended(['make', '--no-print-directory', '-C', root, ...words])
const files = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort()
const FLAGS = /^\["--/

for (const folder of WORKS)
  t.test(
    `${JSON.stringify(folder)}: the command runs, clean removes what was built and nothing else`,
    async t => {
      const { above, root } = await clone(t, folder)
      t.match(await make(root, 'build/sockflux'), { code: 0, stderr: '' })
      const launcher = join(root, 'build/sockflux')
      const [dir, words, flags] = JSON.parse((await ended([launcher, 'a b', '$x', ''])).stdout)
      t.equal(dir, join(root, 'dist/cli'))
      t.same(words, ['a b', '$x', ''])
      t.match(JSON.stringify(flags), FLAGS)
      const before = files(above).filter(
        path => !/\/sockflux\/(build|dist|node_modules|\.tap|native\/build)(\/|$)/.test(`/${path}`),
      )
      t.match(await make(root, 'clean'), { code: 0, stderr: '' })
      t.same(files(above), before)
    },
  )

for (const folder of REFUSED)
  t.test(`${JSON.stringify(folder)} is refused in a sentence, and nothing is touched`, async t => {
    const { above, root } = await clone(t, folder)
    const before = files(above)
    for (const target of ['clean', 'build', 'install', 'test']) {
      const { code, stdout, stderr } = await make(root, target)
      t.match(
        stderr,
        /^Makefile:\d+: \*\*\* Sockflux cannot be built in a folder whose path has [^\n]+ {2}Stop\.\n$/,
      )
      t.same([code, stdout], [2, ''])
    }
    t.same(files(above), before)
  })

t.test('a command that was moved below an asterisk says so', async t => {
  const { above, root } = await clone(t, 'x')
  t.match(await make(root, 'build/sockflux'), { code: 0 })
  const moved = join(above, 'a*b')
  renameSync(join(above, 'x'), moved)
  const { code, stdout, stderr } = await ended([join(moved, 'sockflux/build/sockflux'), '--version'])
  t.same([code, stdout], [1, ''])
  t.match(stderr, /^sockflux: Node\.js loads nothing below a folder with an asterisk [^\n]+: move it\n$/)
})

t.test("make -f from elsewhere touches no other folder's build", async t => {
  const { above, root } = await clone(t, 'x')
  await mkdir(join(above, 'other/build'), { recursive: true })
  const { code, stderr } = await ended([
    'make',
    '-C',
    join(above, 'other'),
    '-f',
    join(root, 'Makefile'),
    'clean',
  ])
  t.equal(code, 2)
  t.match(stderr, 'Run make in the folder of Sockflux')
  t.ok(existsSync(join(above, 'other/build')))
})

t.test('a clone that moved, a copy and links run their own code', async t => {
  const { above, root } = await clone(t, 'one')
  await make(root, 'build/sockflux')
  const where = async (command: string) => JSON.parse((await ended([command])).stdout)[0]
  const [copy, moved] = [join(above, 'a copy'), join(above, 'moved here')]
  await cp(root, copy, { recursive: true, verbatimSymlinks: true })
  t.equal(await where(join(copy, 'build/sockflux')), join(copy, 'dist/cli'))
  await rename(dirname(root), moved)
  const launcher = join(moved, 'sockflux/build/sockflux')
  t.equal(await where(launcher), join(moved, 'sockflux/dist/cli'))
  await mkdir(join(above, 'bin'))
  await symlink(launcher, join(above, 'bin/first'))
  await symlink('first', join(above, 'bin/sockflux'))
  t.equal(await where(join(above, 'bin/sockflux')), join(moved, 'sockflux/dist/cli'))
  const found = await ended(['env', '-C', '/', 'sh', '-c', 'PATH=$0:$PATH; sockflux', join(above, 'bin')])
  t.equal(JSON.parse(found.stdout)[0], join(moved, 'sockflux/dist/cli'))
})
