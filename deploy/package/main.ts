/**
 * `make package`: a Debian package of what is built here, in build/. Two builds of one commit give the same bytes.
 *
 *     node deploy/package/main.ts [--version VERSION] [--quick] [--output FILE]
 *
 * `--quick` packs with gzip: seconds in place of a minute, twice the size.
 */

import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { commands } from '../../cli/commands.ts'
import { collectorSettings } from '../../collector/options.ts'
import { probeSettings } from '../../probe/options.ts'
import { copyRuntime, ROOT } from '../runtime.ts'
import { changelog } from './changelog.ts'
import { bashCompletion, zshCompletion } from './completion.ts'
import { architecture, checksums, conffiles, control, libraries } from './control.ts'
import { copyright } from './legal.ts'
import { manual } from './manual.ts'
import { settingsFile, settingsPath } from './settings_file.ts'
import { binaries, entriesOf, settle } from './tree.ts'

const { values } = parseArgs({
  options: {
    version: { type: 'string' },
    quick: { type: 'boolean', default: false },
    output: { type: 'string' },
  },
})
const LIB = 'usr/lib/sockflux'
const UNITS = ['sockflux.service', 'sockflux-collector.service', 'sockflux-probe.service']
const SCRIPTS = ['postinst', 'prerm', 'postrm']

/** Seconds since 1970: SOURCE_DATE_EPOCH (reproducible-builds.org), else the last commit's. */
function epoch(): number {
  const given = process.env['SOURCE_DATE_EPOCH']
  try {
    const git = ['-c', `safe.directory=${ROOT}`, 'log', '-1', '--format=%ct']
    const text =
      given || execFileSync('git', git, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    if (/^\d+\s*$/.test(text)) return Number(text)
  } catch {
    // no git, or no clone
  }
  throw new Error(
    'the time of the release is unknown (no commit here): set SOURCE_DATE_EPOCH to its seconds since 1970',
  )
}

const seconds = epoch()
const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
const version = values.version ?? manifest.version
const maintainer = `${process.env['DEBFULLNAME'] ?? 'Sockflux contributors'} <${process.env['DEBEMAIL'] ?? 'contributors@sockflux.invalid'}>`

async function put(root: string, path: string, text: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

/** zlib writes no time and no name into the head. */
const packed = (text: string): Buffer => gzipSync(text, { level: 9 })

async function fill(root: string): Promise<void> {
  await mkdir(join(root, 'usr/lib'), { recursive: true })
  await copyRuntime(join(root, LIB))
  await put(root, `${LIB}/package.json`, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`)
  await mkdir(join(root, 'usr/bin'))
  await symlink('../lib/sockflux/build/sockflux', join(root, 'usr/bin/sockflux'))
  for (const unit of UNITS) await put(root, `usr/lib/systemd/system/${unit}`, await source(`systemd/${unit}`))
  await put(root, 'usr/lib/sysusers.d/sockflux.conf', await source('systemd/sysusers.conf'))
  await put(root, 'usr/lib/tmpfiles.d/sockflux.conf', await source('systemd/tmpfiles.conf'))
  for (const [section, settings] of Object.entries({ probe: probeSettings, collector: collectorSettings }))
    await put(root, settingsPath(section), settingsFile(section, settings))
  const program = await commands()
  const date = new Date(seconds * 1000).toISOString().slice(0, 10)
  for (const [name, text] of Object.entries(manual(program, { date, version })))
    await put(root, `usr/share/man/man${name.at(-1)}/${name}.gz`, packed(text))
  await put(root, 'usr/share/bash-completion/completions/sockflux', bashCompletion(program))
  await put(root, 'usr/share/zsh/vendor-completions/_sockflux', zshCompletion(program))
  const isBundled = (module: string) => entries.has(`${LIB}/${module}/package.json`)
  const entries = new Set(entriesOf(root).map(({ path }) => path))
  await put(root, 'usr/share/doc/sockflux/copyright', `${await copyright(isBundled)}\n`)
  const news = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8')
  await put(
    root,
    'usr/share/doc/sockflux/changelog.gz',
    packed(changelog(news, { version, maintainer, seconds })),
  )
  await put(root, 'usr/share/lintian/overrides/sockflux', await source('package/lintian-overrides'))
}

const source = (path: string): Promise<string> => readFile(join(ROOT, 'deploy', path), 'utf8')

async function describe(root: string): Promise<void> {
  const objects = binaries(root, entriesOf(root))
  for (const path of objects) execFileSync('strip', ['--strip-unneeded', path])
  const entries = entriesOf(root)
  const depends = libraries(objects, [...new Set(objects.filter(path => path.endsWith('.so')).map(dirname))])
  await put(root, 'DEBIAN/control', control({ version, maintainer, depends, entries }))
  await put(root, 'DEBIAN/md5sums', checksums(root, entries))
  await put(root, 'DEBIAN/conffiles', conffiles(entries))
  for (const name of SCRIPTS) await cp(join(ROOT, 'deploy/package/scripts', name), join(root, 'DEBIAN', name))
}

const output = values.output ?? join(ROOT, `build/sockflux_${version}_${architecture()}.deb`)
const work = await mkdtemp(join(ROOT, 'build/package-'))
try {
  const root = join(work, 'root')
  await fill(root)
  await describe(root)
  settle(root, seconds)
  const words = [
    '--root-owner-group',
    ...(values.quick ? ['-Zgzip', '-z1'] : ['-Zxz']),
    '--build',
    root,
    output,
  ]
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(seconds) }
  execFileSync('dpkg-deb', words, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  console.log(output)
} catch (error) {
  console.error(`package: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await rm(work, { recursive: true, force: true })
}
