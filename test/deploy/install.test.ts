/** `make install` and `make uninstall`, into a folder of the test, from the files built here. */

import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { REPOSITORY } from '../harness/repository.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { ended } from '../harness/sockflux.ts'

const skip = existsSync(join(REPOSITORY, 'build/sockflux'))
  ? false
  : 'this needs what is built: run make build'
const make = (...words: string[]) => ended(['make', '--no-print-directory', '-C', REPOSITORY, ...words])

async function destination(t: Test): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  return scratch(cleanup, 'install')
}

t.test(
  'the installation runs without the clone, can be moved, and is removed completely',
  { skip },
  async t => {
    const above = await destination(t)
    const words = [`DESTDIR=${above}`, "PREFIX=/opt/it's $x"]
    const prefix = join(above, "opt/it's $x")
    t.same(
      await ended([
        'sh',
        '-c',
        'umask 077; exec "$@"',
        'sh',
        'make',
        '-C',
        REPOSITORY,
        ...words,
        'install',
      ]).then(({ code, stderr }) => ({ code, stderr })),
      { code: 0, stderr: '' },
    )
    const behind = needs('root', 'nobody') ? [] : ['setpriv', '--reuid=65534', '--clear-groups']
    await ended(['chmod', '755', above])
    const version = await ended([...behind, 'env', '-i', join(prefix, 'bin/sockflux'), '--version'])
    t.match(version, { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
    const closed = readdirSync(prefix, { recursive: true }).filter(path => {
      const { mode } = statSync(join(prefix, String(path)))
      return (mode & 0o044) !== 0o044 || (mode & 0o022) !== 0
    })
    t.same(closed, [], 'everybody reads, only the owner writes')
    t.notOk(existsSync(join(prefix, 'lib/sockflux/node_modules/typescript')), 'nothing for development')
    const doctor = await ended([join(prefix, 'bin/sockflux'), 'doctor', '--json'])
    t.ok(JSON.parse(doctor.stdout).length > 5, 'the addon and the BPF object are there')
    const moved = join(above, 'moved')
    await rename(prefix, moved)
    t.match(await ended([join(moved, 'bin/sockflux'), '--version']), { code: 0 })
    await rename(moved, prefix)
    t.match(await make(...words, 'install'), { code: 0 }, 'again, over the first')
    t.match(await make(...words, 'uninstall'), { code: 0, stderr: '' })
    t.same(readdirSync(prefix, { recursive: true }).sort(), ['bin', 'lib'])
    t.match(await make(...words, 'uninstall'), { code: 0, stdout: '', stderr: '' }, 'nothing is there')
  },
)

for (const prefix of ['', '/', '//', '/.', 'usr/local', './x', '/usr/..', '/opt/../..'])
  t.test(`PREFIX=${prefix} is refused`, { skip }, async t => {
    const above = await destination(t)
    for (const target of ['install', 'uninstall']) {
      const { code, stderr } = await make(`DESTDIR=${above}`, `PREFIX=${prefix}`, target)
      t.match(stderr, `${target}: PREFIX is "${prefix}": give an absolute path, such as PREFIX=/usr/local\n`)
      t.equal(code, 2)
    }
    t.same(readdirSync(above), [])
  })

t.test('files of others in that place stay', { skip }, async t => {
  const above = await destination(t)
  await mkdir(join(above, 'one/lib/sockflux'), { recursive: true })
  await mkdir(join(above, 'two/bin'), { recursive: true })
  await writeFile(join(above, 'two/bin/sockflux'), 'of others')
  for (const target of ['install', 'uninstall'])
    for (const [prefix, place] of Object.entries({ one: 'lib/sockflux', two: 'bin/sockflux' })) {
      const { code, stderr } = await make(`DESTDIR=${above}`, `PREFIX=/${prefix}`, target)
      t.match(stderr, new RegExp(`^${target}: \\S+/${place} does not belong to `))
      t.equal(code, 2)
    }
  t.same(readdirSync(above, { recursive: true }).sort(), [
    'one',
    'one/lib',
    'one/lib/sockflux',
    'two',
    'two/bin',
    'two/bin/sockflux',
  ])
})
