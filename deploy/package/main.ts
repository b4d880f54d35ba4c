/**
 * `make package`: a Debian package of what is built here, in build/. Two packages of one commit are the same byte for byte.
 *
 *     node deploy/package/main.ts [--version VERSION] [--quick] [--output FILE]
 *
 * `--quick` packs with gzip: seconds in place of a minute, twice the size.
 */

import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../runtime.ts'
import { addScripts, fill, put } from './contents.ts'
import { architecture, checksums, conffiles, control, libraries } from './control.ts'
import { type Release, releaseOf } from './release.ts'
import { binaries, entriesOf, settle } from './tree.ts'

const { values } = parseArgs({
  options: {
    version: { type: 'string' },
    quick: { type: 'boolean', default: false },
    output: { type: 'string' },
  },
})

/** Strips the programs, and adds what dpkg reads. */
async function describe(root: string, release: Release): Promise<void> {
  const objects = binaries(root, entriesOf(root))
  for (const path of objects) execFileSync('strip', ['--strip-unneeded', path])
  const entries = entriesOf(root)
  const depends = libraries(objects, [...new Set(objects.filter(path => path.endsWith('.so')).map(dirname))])
  await put(root, 'DEBIAN/control', control({ ...release, depends, entries }))
  await put(root, 'DEBIAN/md5sums', checksums(root, entries))
  await put(root, 'DEBIAN/conffiles', conffiles(entries))
  await addScripts(root)
}

async function pack(release: Release): Promise<string> {
  const { version, seconds } = release
  const output = values.output ?? join(ROOT, `build/sockflux_${version}_${architecture()}.deb`)
  const work = await mkdtemp(join(ROOT, 'build/package-'))
  try {
    const root = join(work, 'root')
    await fill(root, release)
    await describe(root, release)
    settle(root, seconds)
    const compression = values.quick ? ['-Zgzip', '-z1'] : ['-Zxz']
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(seconds) }
    const words = ['--root-owner-group', ...compression, '--build', root, output]
    execFileSync('dpkg-deb', words, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    return output
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

try {
  console.log(await pack(releaseOf(values.version)))
} catch (error) {
  console.error(`package: ${(error as Error).message}`)
  process.exitCode = 1
}
