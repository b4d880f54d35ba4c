/** Lines over time for the charts, from the sink that stores. */

import { catalogue } from '../metrics/catalogue.ts'
import { tagsOf } from '../metrics/metric.ts'
import { Problem } from '../routes.ts'
import type { HistoryPoint, HistorySource, LineQuestion } from '../sinks/history.ts'
import { PAGE_LEVELS, type PageLevel } from './rows.ts'

/** What is drawn, and where it is stored. */
const MEASURES = [
  { line: 'flows', suffix: 'num_flows', field: 'as_', calc: 'mean', over: 'sum', role: 'field' },
  { line: 'p50', suffix: 'rtt_dist', field: 'p50', calc: 'max', over: 'max', role: 'tag' },
  { line: 'p95', suffix: 'rtt_dist', field: 'p95', calc: 'max', over: 'max', role: 'tag' },
  { line: 'p99', suffix: 'rtt_dist', field: 'p99', calc: 'max', over: 'max', role: 'tag' },
  { line: 'sent', suffix: 'traffic', field: 'bytes_sent', calc: 'rate', over: 'sum', role: 'none' },
  { line: 'rcvd', suffix: 'traffic', field: 'bytes_rcvd', calc: 'rate', over: 'sum', role: 'none' },
  { line: 'opened', suffix: 'tcp', field: 'opened', calc: 'rate', over: 'sum', role: 'tag' },
  { line: 'failed', suffix: 'tcp', field: 'failed', calc: 'rate', over: 'sum', role: 'tag' },
  { line: 'retransmits', suffix: 'tcp', field: 'retransmits', calc: 'rate', over: 'sum', role: 'tag' },
] as const

const OVER = new Map<string, 'sum' | 'max'>(MEASURES.map(({ line, over }) => [line, over]))
const ROLES = ['client', 'server'] as const
/** Tags that a filter names. */
const FILTERS = ['host', 'namespace', 'pod', 'container', 'process'] as const
const MAX_POINTS = 240
const MAX_RANGE_S = 36_500 * 86_400

export interface History {
  /** Beginnings of the steps, seconds since the epoch. */
  readonly times: readonly number[]
  readonly step: number
  /** By line, a value for each time; null where there is none. */
  readonly lines: Readonly<Record<string, readonly (number | null)[]>>
}

/**
 * @param asked level, from, to, role, and the filters
 * @param interval of the windows, seconds: no step is shorter
 * @throws {Problem} with what is wrong
 */
export async function historyOf(
  source: HistorySource | undefined,
  asked: URLSearchParams,
  interval: number,
  gone: AbortSignal,
): Promise<History> {
  if (!source) throw new Problem(404, 'this collector stores nothing: charts begin when the page is opened')
  const [from, to] = [secondsOf(asked, 'from'), secondsOf(asked, 'to')]
  if (!(from < to) || to - from > MAX_RANGE_S) throw new Problem(400, 'from must be before to')
  const step = Math.ceil((to - from) / MAX_POINTS / interval) * interval
  const range = { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step, step }
  const lines = linesOf(asked)
  const points = lines.length > 0 ? await source({ lines, ...range }, gone) : []
  return together(points, range)
}

function secondsOf(asked: URLSearchParams, name: string): number {
  const seconds = Number(asked.get(name) || Number.NaN)
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new Problem(400, `${name} must be whole seconds since the epoch`)
  return seconds
}

/** The whole of a host is what is in its containers, and what is in none; what is chosen decides, as in the rows of the last window. */
function levelsOf(level: string | null, only: Readonly<Record<string, string>>): readonly PageLevel[] {
  if (level === null || !PAGE_LEVELS.some(name => name === level))
    throw new Problem(400, `level must be one of ${PAGE_LEVELS.join(', ')}`)
  if (only['process'] || level === 'process') return ['process']
  if (level === 'pod')
    return only['container'] === undefined ? ['pod'] : only['container'] === '(host)' ? [] : ['container']
  if (only['container'] === '(host)') return ['host']
  const isInContainers = Object.keys(only).some(tag => tag !== 'host')
  return isInContainers ? ['container'] : ['container', 'host']
}

export function linesOf(asked: URLSearchParams): LineQuestion[] {
  const given = FILTERS.flatMap(tag => (asked.get(tag) ? [[tag, asked.get(tag)!] as const] : []))
  const only = Object.fromEntries(given)
  const levels = levelsOf(asked.get('level'), only)
  const role = ROLES.find(role => role === asked.get('role'))
  if (only['container'] === '(host)') delete only['container']
  return levels.flatMap(level =>
    MEASURES.flatMap(({ line, suffix, field, calc, over, role: by }) => {
      const measurement = `${level}:${suffix}`
      const metric = catalogue.find(({ name }) => name === measurement)
      if (!metric || !Object.keys(only).every(tag => tagsOf(metric).includes(tag))) return []
      const tags = role && by === 'tag' ? { ...only, role } : only
      const fields = by === 'field' ? (role ? [role] : ROLES).map(each => field + each) : [field]
      return fields.map(field => ({ name: line, measurement, field, calc, over, only: tags }))
    }),
  )
}

function together(
  points: readonly HistoryPoint[],
  { from, to, step }: { from: number; to: number; step: number },
): History {
  const times = Array.from({ length: Math.round((to - from) / step) }, (_, at) => from + at * step)
  const lines: Record<string, (number | null)[]> = {}
  for (const [line, at, value] of points) {
    lines[line] ??= times.map(() => null)
    const values = lines[line]
    const index = Math.round((at - from) / step)
    if (index < 0 || index >= times.length) continue
    const before = values[index] ?? null
    values[index] =
      before === null ? value : OVER.get(line) === 'max' ? Math.max(before, value) : before + value
  }
  return { times, step, lines }
}
