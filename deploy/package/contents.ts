/** The files of the package, from those built here. */

import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { commands } from '../../cli/commands.ts'
import { collectorSettings } from '../../collector/options.ts'
import { probeSettings } from '../../probe/options.ts'
import { copyRuntime, ROOT } from '../runtime.ts'
import { changelog } from './documents/changelog.ts'
import { bashCompletion, zshCompletion } from './documents/completion.ts'
import { copyright } from './documents/legal.ts'
import { manual } from './documents/manual.ts'
import { settingsFile, settingsPath } from './documents/settings_file.ts'
import type { Release } from './release.ts'
import { entriesOf } from './tree.ts'

const LIB = 'usr/lib/sockflux'
const UNITS = ['sockflux.service', 'sockflux-collector.service', 'sockflux-probe.service']
const SCRIPTS = ['postinst', 'prerm', 'postrm']

export async function put(root: string, path: string, text: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

/** zlib writes no time and no name into the head. */
const packed = (text: string): Buffer => gzipSync(text, { level: 9 })

export async function fill(root: string, release: Release): Promise<void> {
  const { version, seconds } = release
  await mkdir(join(root, 'usr/lib'), { recursive: true })
  await copyRuntime(join(root, LIB))
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as object
  await put(root, `${LIB}/package.json`, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`)
  await mkdir(join(root, 'usr/bin'))
  await symlink('../lib/sockflux/build/sockflux', join(root, 'usr/bin/sockflux'))
  for (const unit of UNITS) await put(root, `usr/lib/systemd/system/${unit}`, await source(`systemd/${unit}`))
  await put(root, 'usr/lib/sysusers.d/sockflux.conf', await source('systemd/sysusers.conf'))
  await put(root, 'usr/lib/tmpfiles.d/sockflux.conf', await source('systemd/tmpfiles.conf'))
  for (const [section, settings] of Object.entries({ probe: probeSettings, collector: collectorSettings }))
    await put(root, settingsPath(section), settingsFile(section, settings))
  const program = (await commands()).version(version)
  const date = new Date(seconds * 1000).toISOString().slice(0, 10)
  for (const [name, text] of Object.entries(manual(program, { date, version })))
    await put(root, `usr/share/man/man${name.at(-1)}/${name}.gz`, packed(text))
  await put(root, 'usr/share/bash-completion/completions/sockflux', bashCompletion(program))
  await put(root, 'usr/share/zsh/vendor-completions/_sockflux', zshCompletion(program))
  const isBundled = (module: string) => entries.has(`${LIB}/${module}/package.json`)
  const entries = new Set(entriesOf(root).map(({ path }) => path))
  await put(root, 'usr/share/doc/sockflux/copyright', `${await copyright(isBundled)}\n`)
  const news = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8')
  await put(root, 'usr/share/doc/sockflux/changelog.gz', packed(changelog(news, release)))
  await put(root, 'usr/share/lintian/overrides/sockflux', await source('package/lintian-overrides'))
}

const source = (path: string): Promise<string> => readFile(join(ROOT, 'deploy', path), 'utf8')

/** What dpkg runs. */
export async function addScripts(root: string): Promise<void> {
  for (const name of SCRIPTS) await cp(join(ROOT, 'deploy/package/scripts', name), join(root, 'DEBIAN', name))
}
