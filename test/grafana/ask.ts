/** Asks the databases what a panel asks. */

import type { Target } from './files.ts'
import { type Chosen, influxqlWith, promqlWith, type Range } from './replace.ts'
import type { World } from './world.ts'

/** One line of a panel, or one row of a table. */
export interface Line {
  readonly tags: Readonly<Record<string, string>>
  /** Seconds since the epoch. */
  readonly values: readonly (readonly [time: number, value: number])[]
}

type Row = Record<string, unknown>

/** InfluxDB's rows by their tags; null is nothing. */
export function linesOf(rows: readonly Row[]): Line[] {
  const lines = new Map<string, { tags: Record<string, string>; values: [number, number][] }>()
  for (const { name: _, time, ...rest } of rows) {
    const tags: Record<string, string> = {}
    const numbers: number[] = []
    for (const [key, value] of Object.entries(rest))
      if (typeof value === 'number') numbers.push(value)
      else if (typeof value === 'string') tags[key] = value
    const key = JSON.stringify(tags)
    const line = lines.get(key) ?? { tags, values: [] }
    lines.set(key, line)
    for (const number of numbers) line.values.push([time as number, number])
  }
  return [...lines.values()].filter(({ values }) => values.length > 0)
}

export async function askInflux({ influx }: World, query: string): Promise<Line[]> {
  return linesOf(await influx.query(query, 'sockflux'))
}

interface Answer {
  readonly data?: {
    readonly result: readonly {
      readonly metric: Record<string, string>
      readonly value?: readonly [number, string]
      readonly values?: readonly (readonly [number, string])[]
    }[]
  }
  readonly error?: string
}

export async function askPrometheus(
  { prometheus }: World,
  query: string,
  { from, to, interval }: Range,
  isInstant: boolean,
): Promise<Line[]> {
  const [path, times] = isInstant
    ? ['query', { time: String(to) }]
    : ['query_range', { start: String(from), end: String(to), step: `${interval}s` }]
  const answer = await fetch(`${prometheus.url}/api/v1/${path}?${new URLSearchParams({ query, ...times })}`)
  const { data, error } = (await answer.json()) as Answer
  if (!data) throw new Error(`${query}: ${error}`)
  return data.result.map(({ metric, value, values = value ? [value] : [] }) => ({
    tags: metric,
    values: values
      .map(([time, text]) => [time, Number(text)] as const)
      .filter(([, value]) => !Number.isNaN(value)),
  }))
}

/** What a target of either dialect gives. */
export function ask(world: World, { query, expr, instant = false }: Target, chosen: Chosen, range: Range) {
  if (query !== undefined) return askInflux(world, influxqlWith(query, chosen, range))
  return askPrometheus(world, promqlWith(expr!, chosen, range), range, instant)
}

/** Grafana's expression over two targets: lines of the same tags, time by time. */
export function percent(parts: readonly Line[], wholes: readonly Line[]): Line[] {
  const byTags = new Map(wholes.map(line => [JSON.stringify(line.tags), new Map(line.values)]))
  return parts.flatMap(({ tags, values }) => {
    const whole = byTags.get(JSON.stringify(tags))
    if (!whole) return []
    const shares = values
      .filter(([time]) => whole.has(time))
      .map(([time, value]) => [time, (100 * value) / whole.get(time)!] as const)
    return [{ tags, values: shares.filter(([, share]) => Number.isFinite(share)) }]
  })
}
