/** The files that run: what `make install` and `make package` copy, in the same layout as here. */

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { cp, readdir, readFile, rmdir, symlink } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'

export const ROOT = join(import.meta.dirname, '..')

const PARTS = [
  'package.json',
  'LICENSE',
  'dist',
  'build/sockflux',
  'build/bpf/probe.bpf.o',
  'build/node/bin/node',
  'native/package.json',
  'native/dist',
  'native/build/Release/bcc_bindings.node',
]

interface Lock {
  packages: Record<string, { dev?: boolean; link?: boolean }>
}

/** Folders of node_modules that the program needs; npm's lock marks those for development only. */
export async function modules(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(ROOT, 'node_modules/.package-lock.json'), 'utf8')) as Lock
  return Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => path.startsWith('node_modules/') && !dev && !link)
    .map(([path]) => path)
}

/** Types, sources and documents of packages, which nothing reads at run time. */
const UNUSED_FILES =
  /\.(ts|cts|mts|map|md|markdown|h|cc|gyp|gypi|ya?ml|html|tsbuildinfo|sh|gz|zip|cmake|flow)$|^(\.\w+|CMakeLists\.txt|Makefile)$/i
const UNUSED_FOLDERS = ['test', 'tests', 'example', 'examples', 'bench', 'docs', 'nodeAPIInclude', '.github']
/** Types, and what only builds zeromq. */
const UNUSED_MODULES = ['node_modules/@types', 'node_modules/undici-types', 'node_modules/node-addon-api']

/**
 * The shared objects that this Node.js loads here: zeromq brings them for many systems.
 * @throws when one of the two packages cannot be loaded
 */
function loaded(): string[] {
  const script = `require('zeromq'); require('@duckdb/node-bindings')
    console.log(JSON.stringify(process.report.getReport().sharedObjects))`
  const found = execFileSync(process.execPath, ['--no-warnings', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return JSON.parse(found) as string[]
}

/** Which files and folders of node_modules are copied. */
function usage(): (path: string) => boolean {
  const root = realpathSync(ROOT)
  const shared = new Set(loaded().map(path => relative(root, path)))
  return path => {
    const name = basename(path)
    const inside = relative(ROOT, path)
    if (UNUSED_MODULES.some(module => inside === module || inside.startsWith(`${module}/`))) return false
    if (/\.(node|so)$/.test(name)) return shared.has(inside)
    return !UNUSED_FOLDERS.includes(name) && !UNUSED_FILES.test(name) && !isCommand(path)
  }
}

/** Commands of packages begin with `#!`; what is imported does not. */
function isCommand(path: string): boolean {
  if (!statSync(path).isFile()) return false
  const head = Buffer.alloc(2)
  const file = openSync(path, 'r')
  readSync(file, head)
  closeSync(file)
  return head.toString() === '#!'
}

/** Copies all of it into a folder that is not there yet. */
export async function copyRuntime(to: string): Promise<void> {
  for (const path of PARTS) await cp(join(ROOT, path), join(to, path), { recursive: true, dereference: true })
  const filter = usage()
  for (const path of await modules())
    await cp(join(ROOT, path), join(to, path), { recursive: true, dereference: true, filter })
  await removeEmpty(join(to, 'node_modules'))
  await symlink('../native', join(to, 'node_modules/bcc-bindings'))
}

/** Removes folders without a file, and the folder itself if nothing is left. */
async function removeEmpty(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await removeEmpty(join(folder, entry.name))
  if ((await readdir(folder)).length === 0) await rmdir(folder)
}
