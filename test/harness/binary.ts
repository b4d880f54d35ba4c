import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './process.ts'

export const HARNESS = import.meta.dirname
export const BUILT = join(HARNESS, '../../build/test')

/** True when `output` exists and none of its sources is newer. */
export async function isFresh(output: string, sources: readonly string[]): Promise<boolean> {
  const built = await stat(output).catch(() => undefined)
  if (!built) return false
  const times = await Promise.all(sources.map(async source => (await stat(source)).mtimeMs))
  return times.every(time => time <= built.mtimeMs)
}

/**
 * Makes build/test/<name> with `make(temporary)` unless it is fresh. Test files run side by side, so that
 * two may make it at once: each makes its own copy and the rename puts a whole one in place.
 */
export function built(
  name: string,
  sources: readonly string[],
  make: (temporary: string) => Promise<unknown>,
): Promise<string> {
  const running = building.get(name) ?? build(name, sources, make).finally(() => building.delete(name))
  building.set(name, running) // tests of one file may run side by side, too
  return running
}

const building = new Map<string, Promise<string>>()

async function build(
  name: string,
  sources: readonly string[],
  make: (temporary: string) => Promise<unknown>,
): Promise<string> {
  const output = join(BUILT, name)
  if (await isFresh(output, sources)) return output
  await mkdir(BUILT, { recursive: true })
  const temporary = `${output}.${process.pid}`
  try {
    await make(temporary)
    await rename(temporary, output)
  } finally {
    await rm(temporary, { force: true })
  }
  return output
}

/** Compiles C sources of this directory, statically so that the program also runs in an empty image. */
export function binary(name: string, sources: readonly string[]): Promise<string> {
  const paths = sources.map(source => join(HARNESS, source))
  const compiled = paths.filter(path => path.endsWith('.c'))
  return built(name, paths, output =>
    run(['gcc', '-O2', '-Wall', '-Werror', '-static', '-o', output, ...compiled]),
  )
}

export const delaydBinary = () => binary('delayd', ['delayd.c'])
export const pauseBinary = () => binary('pause', ['pause.c'])
export const loadBinary = () =>
  binary(
    'load',
    ['main.c', 'server.c', 'client.c', 'exchange.c', 'neighbour.c', 'load.h'].map(file => `load/${file}`),
  )
export const actorBinary = () =>
  binary(
    'actor',
    ['main.c', 'stream.c', 'datagram.c', 'process.c', 'uring.c', 'actor.h'].map(file => `actor/${file}`),
  )
export const pairsBinary = () => binary('pairs', ['pairs/pairs.c'])
