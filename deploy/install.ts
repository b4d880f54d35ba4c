/**
 * `install.ts install|uninstall`: puts the run-time files into `$DESTDIR$PREFIX/lib/sockflux`, in the same layout as here,
 * and the command into `$DESTDIR$PREFIX/bin`. The launcher finds the program by its relative path.
 */

import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { obey } from './asked.ts'
import { copyRuntime, ROOT } from './runtime.ts'

/** @throws if a mistake in PREFIX would write or remove files in the wrong place */
function places() {
  const { PREFIX = '', DESTDIR = '' } = process.env
  if (!isAbsolute(PREFIX) || resolve(PREFIX) === '/' || PREFIX.split('/').includes('..'))
    throw new Error(`PREFIX is "${PREFIX}": give an absolute path, such as PREFIX=/usr/local`)
  const prefix = join(resolve(ROOT, DESTDIR || '/'), resolve(PREFIX))
  return { lib: join(prefix, 'lib/sockflux'), link: join(prefix, 'bin/sockflux') }
}

const TARGET = '../lib/sockflux/build/sockflux'
const kind = async (path: string) => await lstat(path).catch(() => undefined)
const isOurLink = async (link: string) => (await readlink(link).catch(() => '')) === TARGET

/** @throws if other files are in that place */
async function checkOurs({ lib, link }: ReturnType<typeof places>): Promise<void> {
  const manifest = await readFile(join(lib, 'package.json'), 'utf8').catch(() => '{}')
  const ours = (JSON.parse(manifest) as { name?: string }).name === 'sockflux'
  if ((await kind(lib)) && !ours)
    throw new Error(`${lib} does not belong to Sockflux: move it away, or choose another PREFIX`)
  if ((await kind(link)) && !(await isOurLink(link)))
    throw new Error(`${link} does not belong to this installation: move it away, or choose another PREFIX`)
}

/** All users may read, only the owner may write, independent of the umask now or at the clone. */
async function open(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await open(path)
    else if (entry.isFile()) await chmod(path, (await lstat(path)).mode & 0o100 ? 0o755 : 0o644)
  }
}

async function install(): Promise<void> {
  process.umask(0o022)
  const at = places()
  await checkOurs(at)
  const { lib, link } = at
  const fresh = `${lib}.new`
  await rm(fresh, { recursive: true, force: true })
  await copyRuntime(fresh)
  await open(fresh)
  await rm(lib, { recursive: true, force: true })
  await rename(fresh, lib)
  await mkdir(dirname(link), { recursive: true })
  await rm(link, { force: true })
  await symlink(TARGET, link)
  console.log(`installed ${link} and ${lib}`)
}

async function uninstall(): Promise<void> {
  const at = places()
  await checkOurs(at)
  for (const path of [at.link, at.lib]) {
    if (await kind(path)) console.log(`removed ${path}`)
    await rm(path, { recursive: true, force: true })
  }
}

await obey(install, uninstall)
