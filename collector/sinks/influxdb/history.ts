/** Lines over time from InfluxDB, in InfluxQL, which 1.x, 2.x and 3.x read. */

import { Problem } from '../../routes.ts'
import type { HistoryPoint, HistoryQuestion, HistorySource, LineQuestion } from '../history.ts'
import type { Answer, Transport } from './transport.ts'

interface Place {
  readonly database: string
  /** 1.x only. */
  readonly retentionPolicy: string | undefined
}

interface Result {
  readonly error?: string
  readonly statement_id?: number
  readonly series?: readonly { readonly values: readonly (readonly [number, number | null])[] }[]
}

const NOTHING = Buffer.alloc(0)

export const historyOf =
  (transport: Transport, place: Place): HistorySource =>
  async question => {
    const q = question.lines.map(line => influxql(line, question, place)).join('; ')
    const query = new URLSearchParams({ db: place.database, epoch: 's', q })
    const answer = await transport.send('GET', `/query?${query}`, NOTHING).catch((error: Error) => {
      throw new Problem(503, `InfluxDB does not answer: ${error.message}`)
    })
    return pointsOf(question.lines, resultsOf(answer))
  }

/** One statement for each line. */
export function influxql(
  { measurement, field, calc, over, only }: LineQuestion,
  { from, to, step }: Omit<HistoryQuestion, 'lines'>,
  { retentionPolicy }: Pick<Place, 'retentionPolicy'>,
): string {
  const policy = retentionPolicy === undefined ? '' : `${name(retentionPolicy)}.`
  // a counter rises from the step before
  const earlier = calc === 'rate' ? from - step : from
  const tags = Object.entries(only).map(([tag, value]) => ` AND ${name(tag)} = ${text(value)}`)
  const made = {
    mean: `mean(${name(field)})`,
    max: `max(${name(field)})`,
    rate: `non_negative_difference(last(${name(field)}))`,
  }[calc]
  const scale = calc === 'rate' ? ` / ${step}` : ''
  const series = `SELECT ${made} AS made FROM ${policy}${name(measurement)} WHERE time >= ${earlier}s AND time < ${to}s${tags.join('')} GROUP BY time(${step}s), * fill(none)`
  return `SELECT ${over}(made)${scale} FROM (${series}) WHERE time >= ${from}s AND time < ${to}s GROUP BY time(${step}s) fill(none)`
}

function resultsOf({ status, text, json, isCut }: Answer): readonly Result[] {
  if (isCut) throw new Problem(413, 'the answer of InfluxDB is too long: ask for a shorter time')
  const results = json?.['results']
  if (status === 200 && Array.isArray(results)) return results as Result[]
  const said = String(json?.['error'] ?? json?.['message'] ?? text.slice(0, 200))
  throw new Problem(502, `InfluxDB answered ${status} to a query in InfluxQL: ${said}`)
}

function pointsOf(lines: readonly LineQuestion[], results: readonly Result[]): HistoryPoint[] {
  return results.flatMap(({ error, series = [], statement_id = 0 }) => {
    if (error !== undefined) throw new Problem(502, `InfluxDB refused the query: ${error}`)
    const line = lines[statement_id]
    if (!line) return []
    return series.flatMap(({ values }) =>
      values.flatMap(([at, value]) => (value === null ? [] : [[line.name, at, value] as const])),
    )
  })
}

const name = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
const text = (value: string): string => `'${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`
