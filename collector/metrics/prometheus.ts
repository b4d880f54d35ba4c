/**
 * What the rows of the tables are called in Prometheus (prometheus.io/docs/practices/naming): `sockflux`, the prefix,
 * the suffix, the field, the unit, and `total` for a counter.
 *
 * - `num_`, and the suffixes that only gather fields, are left out, and so is a field that repeats the suffix.
 * - Roles are a label, not a name.
 * - The unit is the base unit. What is counted names its unit at the end if its field names it.
 */

import { type Metric, type Role, UNITS } from './metric.ts'

export interface Family {
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  /** Units of a sample in one base unit. */
  readonly perBase: number
  /** Where its values are in a sample, and the role that each is of; of a histogram, none. */
  readonly values: readonly { readonly at: number; readonly role: Role }[]
}

const ROLES: Readonly<Record<string, Role>> = { as_client: 'client', as_server: 'server' }
/** Suffixes that repeat what the fields say. */
const GATHERING = ['traffic', 'stats']
const WORDS: Readonly<Record<string, string>> = { rcvd: 'received' }

export function familiesOf(metric: Metric): readonly Family[] {
  const families = new Map<string, Family>()
  for (const [at, field] of metric.fields.entries()) {
    const { type, unit } = field
    const role = ROLES[field.name] ?? ''
    const own = ownName(metric, field)
    const name = nameOf(metric, own, unit) + (type === 'counter' ? '_total' : '')
    const values = [...(families.get(name)?.values ?? []), { at, role }]
    const help = own ? `${metric.help}: ${field.help}` : metric.help
    families.set(name, { name, type, help, perBase: UNITS[unit].perBase, values })
  }
  const others = metric.fields.flatMap(({ alias, type, unit, help }, at): Family[] =>
    alias === undefined
      ? []
      : [{ name: alias, type, help, perBase: UNITS[unit].perBase, values: [{ at, role: '' }] }],
  )
  return [...families.values(), ...others, ...(metric.distribution ? [histogramOf(metric)] : [])]
}

/** All values of a row that has a distribution, since the collector started. */
export function histogramOf(metric: Metric): Family {
  const name = nameOf(metric, '', 'seconds')
  return { name, type: 'histogram', help: metric.help, perBase: 1, values: [] }
}

/** For the catalogue: `sockflux_pod_flows{role="client"}`. */
export function seriesOf(metric: Metric, field: number): string {
  const of = ({ name, values }: Family) =>
    values.filter(({ at }) => at === field).map(({ role }) => name + (role && `{role="${role}"}`))
  return familiesOf(metric).flatMap(of)[0]!
}

function ownName({ name }: Metric, { name: field, prometheus = field }: Metric['fields'][number]): string {
  const isNamed = ROLES[field] === undefined && field !== 'count' && !name.endsWith(`:${field}`)
  return isNamed ? prometheus : ''
}

function nameOf(metric: Metric, own: string, unit: keyof typeof UNITS): string {
  const [prefix = '', suffix = ''] = metric.name.split(':')
  const words = [GATHERING.includes(suffix) ? '' : suffix.replace(/^num_/, ''), own]
    .flatMap(text => text.split('_'))
    .filter(Boolean)
    .map(word => WORDS[word] ?? word)
  const { base } = UNITS[unit]
  const end = base || (words.includes(unit) ? unit : '')
  return ['sockflux', prefix, ...words.filter(word => word !== end), end].filter(Boolean).join('_')
}
