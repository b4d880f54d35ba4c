/** `wire/records.ts`: types and columns of the records, and their enums. */

import type { BpfObject, Layout } from 'bcc-bindings'
import { SIGNALS } from '../signals/index.ts'

const RECORDS = [...new Set(SIGNALS.flatMap(({ records }) => records))]
/** Their enumerators become constants. */
const ENUMS = ['role', 'flow_flags', 'tcp_known']
/** In `lost.bpf.h`: `LOST_<REASON>` is counted as `kernel/<reason>`; the last one is their number. */
const LOST = 'lost'

export function recordsText(object: BpfObject): string {
  return [
    '// Generated from the BTF of probe.bpf.o by probe/bpf/generate.ts: change the C headers instead.\n',
    'type Bytes = Uint8Array\n',
    ...RECORDS.flatMap(name => [
      typeOf(object.layout(name)),
      columnsOf(object.layout(name), updateFields(object, name)),
    ]),
    ...ENUMS.map(name => constantsOf(name, object.enumerators(name))),
    lostOf(object.enumerators(LOST)),
    '/** Names of the fields that are numbers. */',
    'export type NumberField<R> = { [K in keyof R]: R[K] extends number ? K : never }[keyof R] & string\n',
  ].join('\n')
}

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
  return `/** \`struct ${name}\` in probe/bpf. */\nexport interface ${pascal(name)} {\n${lines.join('\n')}\n}\n`
}

/**
 * The argument of `tableOf` and `layoutOf`. Columns that a flow's row shares with its updates come first and in the same order:
 * code that reads both finds them at the same place in the object of offsets, else a row takes 1.4 times as long.
 */
function columnsOf({ name, fields }: Layout, first: readonly string[]): string {
  const rank = (field: string) => (first.includes(field) ? first.indexOf(field) : first.length)
  const lines = fields
    .filter(({ name }) => name !== 'pad')
    .toSorted((a, b) => rank(a.name) - rank(b.name))
    .map(({ name, type, size }) => `  ${name}: ${type === 'bytes' ? size : `'${type}'`},`)
  return `/** Columns of \`${name}\`. */\nexport const ${name.toUpperCase()} = {\n${lines.join('\n')}\n} as const\n`
}

/** Fields of a flow's updates, by their order there. */
function updateFields(object: BpfObject, record: string): string[] {
  const update = SIGNALS.find(({ flows }) => flows?.row.record === record)?.flows?.update
  return update ? object.layout(update.record).fields.map(({ name }) => name) : []
}

function constantsOf(name: string, values: Readonly<Record<string, number>>): string {
  const lines = Object.entries(values).map(([name, value]) => `export const ${name} = ${value}`)
  return `/* enum ${name} */\n${lines.join('\n')}\n`
}

function lostOf(values: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(values).slice(0, -1)
  if (reasons.some(([, value], index) => value !== index)) throw new Error(`enum ${LOST} has a gap`)
  const lines = reasons.map(([name]) => `  '${name.replace(/^LOST_/, '').toLowerCase()}',`)
  return `/** \`enum ${LOST}\`: reasons by their number. */\nexport const LOST = [\n${lines.join('\n')}\n] as const\n`
}
