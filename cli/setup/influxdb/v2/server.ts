/** What InfluxDB 2.x answers: github.com/influxdata/openapi, contracts/oss.yml. */

import { z } from 'zod'
import { type Api, json } from '../api.ts'
import type { Step } from '../step.ts'

export const id = z.object({ id: z.string().min(1) })
export const bucket = id.extend({
  name: z.string(),
  retentionRules: z.array(z.object({ everySeconds: z.number().optional() })).default([]),
})
export const task = id.extend({
  name: z.string(),
  flux: z.string().default(''),
  status: z.string().optional(),
})
export const dbrp = id.extend({
  database: z.string(),
  retention_policy: z.string(),
  bucketID: z.string(),
  default: z.boolean().default(false),
  virtual: z.boolean().default(false),
})
export const authorization = id.extend({
  description: z.string().optional(),
  token: z.string().optional(),
})

export type Ids = Map<string, string>

/** A request as it is shown; ids of what is not made yet are names in angle brackets. */
export function request(
  api: Api,
  what: string,
  method: string,
  path: string,
  body: (ids: (name: string) => string) => unknown,
  ids: Ids,
  made?: (answer: { id: string }) => void,
): Step {
  const known = (name: string) => ids.get(name) ?? `<id of ${name}>`
  return {
    get shows() {
      const value = body(known)
      return `${method} ${path}${value === undefined ? '' : ` ${JSON.stringify(value)}`}`
    },
    async run() {
      const value = body(known)
      const sent = value === undefined ? undefined : json(value)
      if (made) made(await api.get(id, what, method, path, sent))
      else await api.do(what, method, path, sent)
    },
  }
}

const PAGE = 100
/** More than any organisation has. */
const MOST = 100_000

/** All of a list that is given in pages. */
export async function all<T extends { id: string }>(
  api: Api,
  path: string,
  key: string,
  item: z.ZodType<T>,
  query: Record<string, string>,
  next: (last: T) => Record<string, string>,
): Promise<T[]> {
  const found: T[] = []
  const page = z.object({ [key]: z.array(item).default([]) }) as unknown as z.ZodType<Record<string, T[]>>
  let more: Record<string, string> | undefined = {}
  while (more) {
    const text = new URLSearchParams({ ...query, limit: String(PAGE), ...more })
    const answer: Record<string, T[]> = await api.get(page, `list ${key}`, 'GET', `${path}?${text}`)
    const read: T[] = answer[key] ?? []
    found.push(...read)
    more = read.length < PAGE ? undefined : next(read.at(-1)!)
    if (found.length > MOST)
      throw new Error(`InfluxDB at ${api.server.url} lists ${key} without an end: correct --influx-url`)
  }
  return found
}
