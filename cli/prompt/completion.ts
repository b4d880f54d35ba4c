/** Completion of what is typed at the prompt: measurements, fields, words of SQL. */

import { catalogue } from '../../collector/metrics/catalogue.ts'
import { tagsOf } from '../../collector/metrics/metric.ts'

/** Columns, by measurement. */
export type Tables = ReadonlyMap<string, readonly string[]>

export const COMMANDS = ['.help', '.tables', '.columns', '.table', '.json', '.csv', '.quit'] as const
const WORDS = [
  ...['select', 'from', 'where', 'group by', 'order by', 'limit', 'desc', 'asc', 'and', 'or', 'not', 'in'],
  ...['like', 'between', 'as', 'with', 'join', 'on', 'using', 'having', 'distinct', 'case', 'when', 'then'],
  ...['show tables', 'describe', 'avg(', 'max(', 'min(', 'sum(', 'count(', 'time_bucket(', 'interval'],
]

/** The measurements that this version writes; what a store has besides is asked from the collector. */
export const known: Tables = new Map(
  catalogue.map(metric => [
    metric.name,
    ['time', ...tagsOf(metric).filter(tag => !tag.endsWith('*')), ...metric.fields.map(({ name }) => name)],
  ]),
)

/** As `node:readline` wants it: what can stand there, and the part of the line that it replaces. */
export function complete(line: string, tables: Tables): [candidates: string[], typed: string] {
  if (line.startsWith('.') && !line.includes(' '))
    return [COMMANDS.filter(command => command.startsWith(line)), line]
  const quoted = /"[^"]*$/.exec(line)?.[0]
  if (quoted !== undefined && isInString(line)) {
    const names = [...tables.keys()].map(name => `"${name}"`)
    return [names.filter(name => name.startsWith(quoted)), quoted]
  }
  const typed = /[\w:.]*$/.exec(line)?.[0] ?? ''
  const starts = (word: string) => word.toLowerCase().startsWith(typed.toLowerCase())
  const isTable = /\b(from|join|describe|columns)\s+[\w:]*$/i.test(line)
  const names = [...tables.keys()]
  if (isTable) return [names.filter(starts).map(line.startsWith('.') ? name => name : quote), typed]
  const named = names.filter(name => line.includes(`"${name}"`))
  const columns = new Set((named.length > 0 ? named : names).flatMap(name => tables.get(name) ?? []))
  if (typed === '' && named.length === 0) return [[], typed]
  return [[...[...columns].filter(starts).sort(), ...WORDS.filter(starts)], typed]
}

/** A measurement's name has a colon: without quotes it would be no name. */
const quote = (name: string): string => `"${name}"`

/** An odd number of quotes: one is open. */
const isInString = (line: string): boolean => line.split('"').length % 2 === 0
