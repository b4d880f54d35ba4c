/** InfluxDB 1.x answers statements at /query: docs.influxdata.com/influxdb/v1/tools/api. */

import { z } from 'zod'
import { clip } from '../../../../collector/sinks/influxdb/answers.ts'
import { type Api, form } from '../api.ts'
import type { Step } from '../step.ts'

const answer = z.object({
  results: z.array(
    z.object({
      error: z.string().optional(),
      series: z
        .array(
          z.object({
            name: z.string().optional(),
            columns: z.array(z.string()),
            values: z.array(z.array(z.unknown())).optional(),
          }),
        )
        .optional(),
    }),
  ),
})

/** A row by its columns, with its series as `series`. */
export type Row = Readonly<Record<string, unknown>>

/**
 * @param shown the statement without secrets
 * @throws with InfluxDB's words
 */
export async function ask(api: Api, statement: string, shown = statement): Promise<Row[]> {
  const body = form({ q: statement, epoch: 's' })
  const { results } = await api.get(answer, `run ${clip(shown)}`, 'POST', '/query', body)
  const error = results.find(({ error }) => error !== undefined)?.error
  if (error !== undefined || results.length === 0)
    throw new Error(
      `InfluxDB at ${api.server.url} refuses ${clip(shown)}: ${clip(error ?? 'no result')}; correct the setting that it names, or run the statement by hand`,
    )
  return results.flatMap(({ series = [] }) =>
    series.flatMap(({ name, columns, values = [] }) =>
      values.map(row => ({
        series: name,
        ...Object.fromEntries(columns.map((column, at) => [column, row[at]])),
      })),
    ),
  )
}

export const statement = (api: Api, text: string, shown = text): Step => ({
  shows: shown,
  run: async () => void (await ask(api, text, shown)),
})
