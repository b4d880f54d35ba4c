/** Lines over time from the embedded store: one query for all of them. */

import { catalogue } from '../../metrics/catalogue.ts'
import { tagsOf } from '../../metrics/metric.ts'
import { type Encoded, type Handler, Problem } from '../../routes.ts'
import type { HistoryPoint, HistoryQuestion, HistorySource, LineQuestion } from '../history.ts'
import { identifier, literal } from './instance.ts'
import type { Answer } from './query/answer.ts'

/**
 * One after the other: a person who goes from view to view waits for the last one, and others are not refused.
 * @param query the route `POST /query`
 */
export function historyOf(query: Handler): HistorySource {
  let last: Promise<unknown> = Promise.resolve()
  return (question, gone) => {
    const answer = last.then(() => {
      if (gone.aborted) throw new Problem(499, 'the client has closed the connection')
      return ask(query, question, gone)
    })
    last = answer.catch(() => {})
    return answer
  }
}

async function ask(query: Handler, question: HistoryQuestion, gone: AbortSignal): Promise<HistoryPoint[]> {
  const day = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10)
  const body = {
    sql: sqlOf(question),
    from: day(question.from - question.step),
    to: day(question.to),
  }
  const url = new URL('http://localhost/query')
  const { json } = (await query({ url, body, signal: gone })) as Encoded
  return (JSON.parse(String(json)) as Answer).rows as unknown as HistoryPoint[]
}

/** One SELECT with a row for each point. */
export const sqlOf = ({ lines, ...range }: HistoryQuestion): string =>
  `${lines.map(line => lineSql(line, range)).join(' UNION ALL ')} ORDER BY 1, 2`

function lineSql(line: LineQuestion, { from, to, step }: Omit<HistoryQuestion, 'lines'>): string {
  const { name, measurement, field, calc, over, only } = line
  const metric = catalogue.find(metric => metric.name === measurement)!
  const tags = tagsOf(metric).filter(tag => !tag.endsWith('*'))
  const series = tags.map(identifier).join(', ')
  // a counter rises from the step before
  const where = [
    `time >= make_timestamp(${from - step} * 1000000::BIGINT)`,
    `time < make_timestamp(${to} * 1000000::BIGINT)`,
    ...Object.entries(only).map(([tag, value]) => `${identifier(tag)} = ${literal(value)}`),
  ].join(' AND ')
  const value = identifier(field)
  const source =
    calc === 'rate'
      ? `SELECT *, ${value} - lag(${value}) OVER (PARTITION BY ${series} ORDER BY time) AS risen FROM ${identifier(measurement)} WHERE ${where}`
      : `SELECT * FROM ${identifier(measurement)} WHERE ${where}`
  // a counter that fell began again at 0
  const made = {
    mean: `avg(${value})`,
    max: `max(${value})`,
    rate: `sum(CASE WHEN risen < 0 THEN ${value} ELSE risen END) / ${step}`,
  }[calc]
  const begin = `epoch(time)::BIGINT // ${step} * ${step}`
  const bySeries = `SELECT ${begin} AS begins, ${made} AS made FROM (${source}) WHERE time >= make_timestamp(${from} * 1000000::BIGINT) GROUP BY begins, ${series}`
  return `SELECT ${literal(name)} AS line, begins, ${over}(made) AS value FROM (${bySeries}) WHERE made IS NOT NULL GROUP BY begins`
}
