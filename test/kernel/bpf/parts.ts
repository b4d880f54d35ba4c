/** Programs that are parts of the probe's: `parts.bpf.c`. */

import { join } from 'node:path'
import type { BpfObject } from 'bcc-bindings'
import type { Test } from 'tap'
import { compile, opened } from '../../native/compile.ts'

const folder = import.meta.dirname

/** Loaded, with room for a few flows, and without the programs that these are parts of. */
export function parts(t: Test, globals: Readonly<Record<string, number>> = {}): BpfObject {
  const object = opened(t, compile('parts', folder, [join(folder, '../../../probe/bpf')]))
  object.resizeMap('tcp_slot', 8)
  for (const [name, value] of Object.entries(globals)) object.setGlobal(name, value)
  for (const { name } of object.programs) object.setAutoload(name, !name.startsWith('tcp_'))
  object.load()
  return object
}
