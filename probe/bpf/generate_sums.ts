/** `wire/count/sums.ts`: the fields of records that add up, and the code that adds them. */

import type { BpfObject, Field } from 'bcc-bindings'
import { type Kind, kindOf } from '../../wire/count/kinds.ts'
import { SIGNALS } from '../signals/index.ts'
import type { Signal } from '../signals/signal.ts'

/** Sums with another name than the field: TCP's segments and UDP's datagrams are both packets. */
const SUM_NAMES: Readonly<Record<string, string>> = {
  segs_sent: 'packets_sent',
  segs_rcvd: 'packets_rcvd',
  segs_resent: 'retransmits',
}

/** Of a built object. */
type Layouts = Pick<BpfObject, 'layout'>

interface Sum {
  readonly field: string
  readonly type: Field['type']
  readonly kind: Kind
  /** As in `flow_total`. */
  readonly column: string
  readonly property: string
}

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
const pascal = (name: string): string => camel(`_${name}`)

function sumsOf(object: Layouts, record: string): Sum[] {
  return object.layout(record).fields.flatMap(({ name: field, type, ...rest }): Sum[] => {
    const kind = kindOf(rest)
    if (!kind) return []
    if (type !== 'u32' && type !== 'u64') throw new Error(`${record}.${field} is ${type}: make it u32 or u64`)
    const column = SUM_NAMES[field] ?? field
    return [{ field, type, kind, column, property: camel(column) }]
  })
}

/** Of flows, rows of two records are read by the same code. @throws when they differ in the fields that add up */
function flowSums(object: Layouts, { flows }: Signal): Sum[] {
  if (!flows) return []
  const { row, update } = flows
  const sums = sumsOf(object, row.record)
  const text = (of: readonly Sum[]) => JSON.stringify(of.toSorted((a, b) => (a.field < b.field ? -1 : 1)))
  if (update && text(sums) !== text(sumsOf(object, update.record)))
    throw new Error(`${row.record} and ${update.record} differ in their delta_ and level_ fields`)
  return sums
}

const HEAD = `// Generated from the BTF of probe.bpf.o by probe/bpf/generate.ts: change the C headers instead.

import { u64 } from './table.ts'

/** For records without fields of the kind: their callers need no change when one is added. */
type AddNothing = (sums: Sums, view: DataView, row: number, at: object) => void
`

export function sumsText(object: Layouts): string {
  const flows = SIGNALS.filter(({ flows }) => flows).map(
    signal => [signal.flows!.row.record, flowSums(object, signal)] as const,
  )
  const ofFlows = new Set(SIGNALS.flatMap(({ flows }) => [flows?.row.record, flows?.update?.record]))
  const others = [...new Set(SIGNALS.flatMap(({ records }) => records))]
    .filter(record => !ofFlows.has(record))
    .map(record => [record, sumsOf(object, record)] as const)
    .filter(([, sums]) => sums.length > 0)
  const records = [...flows, ...others]
  const columns = (isPeak: boolean) => {
    const folded = SIGNALS.filter(({ flows }) => flows?.tellsClose !== undefined).map(
      ({ flows }) => flows!.row.record,
    )
    const sums = flows.flatMap(([record, sums]) => (folded.includes(record) ? sums : []))
    const kept = new Map(
      sums.flatMap(({ column, property, kind }) =>
        (kind === 'peak') === isPeak ? [[column, property]] : [],
      ),
    )
    return [...kept].map(([column, property]) => `  ${column}: '${property}',`).join('\n')
  }
  return [
    HEAD,
    classOf(new Map(records.flatMap(([, sums]) => sums.map(({ property, kind }) => [property, kind])))),
    '/** Sums of flows: the column in `flow_total`, and the sum. */',
    `export const FLOW_SUMS = {\n${columns(false)}\n} as const\n`,
    '/** Those of which the largest counts. */',
    `export const FLOW_PEAKS = {\n${columns(true)}\n} as const\n`,
    ...records.flatMap(([record, sums]) =>
      (['Deltas', 'Levels'] as const).map(part => adder(record, part, sums)),
    ),
  ].join('\n')
}

function classOf(properties: ReadonlyMap<string, Kind>): string {
  const fields = [...properties.keys()].map(property => `  ${property} = 0`)
  const lines = [...properties].map(([property, kind]) =>
    kind === 'peak'
      ? `    if (other.${property} > this.${property}) this.${property} = other.${property}`
      : `    this.${property} += other.${property}`,
  )
  return `/** Sums of the fields of records. */\nexport class Sums {\n${fields.join('\n')}\n\n  add(other: Sums): void {\n${lines.join('\n')}\n  }\n}\n`
}

/** Without a loop: a loop over names takes several times as long for each row. */
function adder(record: string, part: 'Deltas' | 'Levels', sums: readonly Sum[]): string {
  const mine = sums.filter(({ kind }) => (kind === 'delta') === (part === 'Deltas'))
  const name = `${pascal(record)}${part}`
  if (mine.length === 0) return `export const add${name}: AddNothing = () => {}\n`
  const offsets = mine.map(({ field }) => `  readonly ${field}: number`)
  const lines = mine.map(({ field, type, property, kind }) => {
    const read = type === 'u64' ? `u64(view, row + at.${field})` : `view.getUint32(row + at.${field}, true)`
    return kind === 'peak'
      ? `  sums.${property} = Math.max(sums.${property}, ${read})`
      : `  sums.${property} += ${read}`
  })
  return [
    `interface ${name} {`,
    ...offsets,
    '}\n',
    `export function add${name}(sums: Sums, view: DataView, row: number, at: ${name}): void {`,
    ...lines,
    '}\n',
  ].join('\n')
}
