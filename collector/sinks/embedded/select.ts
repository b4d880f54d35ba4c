import { Encoded, type Handler, Problem } from '../../routes.ts'
import type { Days, Loan } from './lending.ts'
import { ask } from './query/child.ts'

/** The source of a query's files: the embedded sink. */
export interface Store {
  lend(days?: Days): Promise<Loan>
}

export interface Limits {
  readonly maxRows: number
  /** Most characters of the rows as JSON. */
  readonly maxCharacters: number
  readonly timeoutMs: number
  /** Resident memory of the query's process. */
  readonly maxBytes?: number
}

/** Most queries at a time; each is a process. */
const MAX_QUERIES = 2
const MAX_BYTES = 512 * 2 ** 20

/** `POST /query {sql, from?, to?, maxRows?, timeoutMs?}`; a request may lower the limits, not raise them. */
export function queryRoute(store: Store, limits: Limits): Handler {
  let running = 0
  return async ({ body, signal }) => {
    const { sql, from, to, maxRows, timeoutMs } = (body ?? {}) as Record<string, unknown>
    if (typeof sql !== 'string') throw new Problem(400, 'the body must be {"sql": "select …"}')
    if (running >= MAX_QUERIES) throw new Problem(503, `${MAX_QUERIES} queries are running: try again`)
    const bounded = {
      maxBytes: MAX_BYTES,
      ...limits,
      maxRows: lower(maxRows, limits.maxRows, 'maxRows'),
      timeoutMs: lower(timeoutMs, limits.timeoutMs, 'timeoutMs'),
    }
    const days = { from: day(from, 'from'), to: day(to, 'to') }
    running++
    try {
      return new Encoded(await select(store, sql, days, bounded, signal))
    } finally {
      running--
    }
  }
}

/** @returns the answer as JSON; it is not parsed here, so that the collector is not delayed */
async function select(
  store: Store,
  sql: string,
  days: Days,
  limits: Required<Limits>,
  gone: AbortSignal,
): Promise<Buffer> {
  const loan = await store.lend(days).catch((error: Error) => {
    throw new Problem(503, error.message)
  })
  try {
    return await ask({ files: loan.files, sql, ...limits }, gone)
  } finally {
    loan.release()
  }
}

function day(asked: unknown, name: string): string | undefined {
  if (asked === undefined) return undefined
  if (!/^\d{4}-\d\d-\d\d$/.test(String(asked)))
    throw new Problem(400, `${name} must be a day in UTC, for example 2026-01-02`)
  return String(asked)
}

function lower(asked: unknown, limit: number, name: string): number {
  if (asked === undefined) return limit
  if (!Number.isInteger(asked) || Number(asked) < 1)
    throw new Problem(400, `${name} must be a positive integer`)
  return Math.min(Number(asked), limit)
}
