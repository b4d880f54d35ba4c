/**
 * `units.ts install|uninstall`: puts the units for systemd into `$DESTDIR/etc/systemd/system`, with the command of
 * `$PREFIX`, and what makes their users and directories beside them. Only called when `install.ts` has accepted PREFIX.
 */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { obey } from './asked.ts'

const SOURCE = join(import.meta.dirname, 'systemd')
/** In the units as they are; a package installs them unchanged. */
const COMMAND = '/usr/bin/sockflux'
const { PREFIX = '', DESTDIR = '' } = process.env
const root = resolve(join(import.meta.dirname, '..'), DESTDIR || '/')

/**
 * The path of the program, systemd.service(5): in quotes, `%` doubled.
 * @throws for what systemd takes for no path
 */
function commandOf(prefix: string): string {
  const path = join(resolve(prefix), 'bin/sockflux')
  if (/['"\\]/.test(path))
    throw new Error(
      `systemd starts no program whose path has a quote or a backslash (${path}): choose another PREFIX`,
    )
  return /^[\w/.+-]+$/.test(path) ? path : `"${path.replaceAll('%', '%%')}"`
}

/** From a file's name in `systemd/` to its place. */
const placeOf = (name: string): string =>
  name.endsWith('.conf')
    ? join(root, 'etc', `${basename(name, '.conf')}.d/sockflux.conf`)
    : join(root, 'etc/systemd/system', name)

async function files(): Promise<{ place: string; text: string }[]> {
  const command = commandOf(PREFIX)
  return Promise.all(
    (await readdir(SOURCE)).map(async name => {
      const text = await readFile(join(SOURCE, name), 'utf8')
      return { place: placeOf(name), text: text.replaceAll(COMMAND, () => command) }
    }),
  )
}

/** Another installation's, or one that somebody has changed, stays. */
const isOurs = async (place: string, text: string): Promise<boolean> =>
  (await readFile(place, 'utf8').catch(() => undefined)) === text

async function install(): Promise<void> {
  process.umask(0o022)
  for (const { place, text } of await files()) {
    await mkdir(dirname(place), { recursive: true })
    await writeFile(place, text)
    console.log(`installed ${place}`)
  }
  if (!DESTDIR)
    console.log(
      'next: systemd-sysusers && systemctl daemon-reload && systemctl enable --now sockflux-collector sockflux-probe sockflux',
    )
}

async function uninstall(): Promise<void> {
  // where none could be installed there is none
  for (const { place, text } of await files().catch(() => [])) {
    if (!(await isOurs(place, text))) continue
    await rm(place)
    console.log(`removed ${place}`)
  }
}

await obey(install, uninstall)
