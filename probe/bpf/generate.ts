/**
 * Writes `wire/records.ts`: what each record's fields are called, read from the BTF of the built object. The C header
 * is the only schema; a metric that names a field which is not there does not compile.
 *
 *     node probe/bpf/generate.ts [--check]
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Layout, open } from 'bcc-bindings'
import { objectPath } from '../kernel/load.ts'
import { SIGNALS } from '../signals/index.ts'

const RECORDS = [...new Set(SIGNALS.flatMap(({ records }) => records))]
export const target = join(import.meta.dirname, '../../wire/records.ts')

const pascal = (name: string): string =>
  name
    .split('_')
    .map(word => word[0]!.toUpperCase() + word.slice(1))
    .join('')

function typeOf({ name, fields }: Layout): string {
  const lines = fields.map(
    ({ name, type, typedef, count }) =>
      `  /** ${typedef ?? type}${type === 'bytes' ? `, ${count} bytes` : ''} */\n  readonly ${name}: ${
        type === 'bytes' ? 'Bytes' : 'number'
      }`,
  )
  return `/** \`struct ${name}\`, see \`${name}.h\` in probe/bpf. */\nexport interface ${pascal(name)} {\n${lines.join('\n')}\n}\n`
}

export function generate(): string {
  const object = open(objectPath())
  try {
    const types = RECORDS.map(name => typeOf(object.layout(name)))
    return [
      '// Generated from the BTF of probe.bpf.o by probe/bpf/generate.ts: change the C headers instead.\n',
      'type Bytes = Uint8Array\n',
      ...types,
      '/** Names of the fields that are numbers. */',
      'export type NumberField<R> = { [K in keyof R]: R[K] extends number ? K : never }[keyof R] & string\n',
    ].join('\n')
  } finally {
    object.close()
  }
}

if (import.meta.main) {
  const text = generate()
  if (process.argv.includes('--check')) {
    if (readFileSync(target, 'utf8') !== text)
      throw new Error('wire/records.ts is stale: run `npm run generate`')
  } else writeFileSync(target, text)
}
