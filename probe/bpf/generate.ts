/**
 * Writes the TypeScript of the C headers from the BTF of the built object: `wire/records.ts` has the fields and columns of
 * each record, `wire/count/sums.ts` the fields that add up. The C header is the only schema; a metric that names a missing
 * field does not compile.
 *
 *     node probe/bpf/generate.ts [--check]
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'bcc-bindings'
import { objectPath } from '../kernel/load.ts'
import { recordsText } from './generate_records.ts'
import { sumsText } from './generate_sums.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The files by their paths. */
export function generate(): ReadonlyMap<string, string> {
  const object = open(objectPath())
  try {
    return new Map([
      [join(ROOT, 'wire/records.ts'), recordsText(object)],
      [join(ROOT, 'wire/count/sums.ts'), sumsText(object)],
    ])
  } finally {
    object.close()
  }
}

if (import.meta.main)
  for (const [path, text] of generate())
    if (!process.argv.includes('--check')) writeFileSync(path, text)
    else if (readFileSync(path, 'utf8') !== text) throw new Error(`${path} is stale: run \`make generate\``)
