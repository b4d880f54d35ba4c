import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BpfObject, open } from 'bcc-bindings'
import type { Test } from 'tap'

const directory = mkdtempSync(join(tmpdir(), 'bcc-bindings-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()

/** `<name>.bpf.c` of a folder, compiled into a directory that goes with the process: the object's path. @param includes directories of headers */
export function compile(
  name: string,
  folder = join(import.meta.dirname, 'bpf'),
  includes: readonly string[] = [],
): string {
  const object = join(directory, `${name}.bpf.o`)
  const source = join(folder, `${name}.bpf.c`)
  const target = ['-target', 'bpf', '-mcpu=v3', `-I/usr/include/${machine}-linux-gnu`].concat(
    includes.map(directory => `-I${directory}`),
  )
  execFileSync('clang', ['-O2', '-g', '-Wall', '-Werror', ...target, '-c', source, '-o', object])
  return object
}

/** Why an object cannot be loaded here, for tap's `skip`; false when it can. */
export function unable(path: string): string | false {
  const object = open(path)
  try {
    object.load()
    return false
  } catch (error) {
    return (error as Error).message
  } finally {
    object.close()
  }
}

/** An object for one test. */
export function opened(t: Test, path: string): BpfObject {
  const object = open(path)
  t.teardown(() => object.close())
  return object
}

/** The arguments of an unsigned 32-bit number each, as a context or a key. */
export function words(...numbers: number[]): Buffer {
  return Buffer.from(Uint32Array.from(numbers).buffer)
}
