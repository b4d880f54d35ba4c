/**
 * A part of InfluxDB 2.x as github.com/influxdata/openapi, contracts/oss.yml, describes it: the required members and the
 * types of requests are checked, and answers have the documented shape. What it does not know is a 404.
 */

import type { IncomingMessage } from 'node:http'
import type { Test } from 'tap'
import { z } from 'zod'
import { listen } from '../../../../harness/http_server.ts'

const TOKEN = 'all access'
export const ORG = { id: '0a11000000000000', name: 'my "org"' }

const rules = z.array(z.strictObject({ type: z.literal('expire'), everySeconds: z.int().min(0) }))
const orgID = z.literal(ORG.id)
/** PostBucketRequest, PatchBucketRequest, TaskCreateRequest, TaskUpdateRequest, DBRPCreate, DBRPUpdate, AuthorizationPostRequest, Query. */
const BODIES = {
  'POST buckets': z.strictObject({ orgID, name: z.string().min(1), retentionRules: rules }),
  'PATCH buckets': z.strictObject({ retentionRules: rules }),
  'POST tasks': z.strictObject({ orgID, flux: z.string().regex(/^option task = |\noption task = /) }),
  'PATCH tasks': z.strictObject({ flux: z.string() }),
  'POST dbrps': z.strictObject({
    ...{ orgID, bucketID: z.string().regex(/^[0-9a-f]{16}$/) },
    ...{ database: z.string(), retention_policy: z.string(), default: z.boolean() },
  }),
  'PATCH dbrps': z.strictObject({ default: z.boolean() }),
  'POST authorizations': z.strictObject({
    orgID,
    description: z.string(),
    permissions: z.array(
      z.strictObject({
        action: z.enum(['read', 'write']),
        resource: z.strictObject({
          type: z.literal('buckets'),
          id: z.string().regex(/^[0-9a-f]{16}$/),
          orgID,
        }),
      }),
    ),
  }),
  'POST query': z.strictObject({ query: z.string(), type: z.literal('flux') }),
}

export type Item = Record<string, unknown> & { id: string }
const KINDS = ['buckets', 'tasks', 'dbrps', 'authorizations'] as const
export type State = Record<(typeof KINDS)[number], Item[]>

let ids = 0
export const newId = (): string => (0x1000 + ids++).toString(16).padStart(16, '0')

export interface Server {
  readonly url: string
  readonly state: State
  /** Requests that change something. */
  readonly changes: string[]
  readonly queries: string[]
  /** The answer to queries. */
  csv: string
}

export async function influx2(t: Test): Promise<Server> {
  const state: State = { buckets: [], tasks: [], dbrps: [], authorizations: [] }
  const server = { state, changes: [] as string[], queries: [] as string[], csv: '' }
  const url = await listen(t, async (request, response) => {
    const [status, body] = await answer(server, request)
    const isText = typeof body === 'string'
    const headers = {
      'x-influxdb-version': 'v2.7.11',
      'content-type': isText ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8',
    }
    response.writeHead(status, headers).end(isText ? body : body && JSON.stringify(body))
  })
  return Object.assign(server, { url })
}

type Answer = [status: number, body?: unknown]
const fault = (status: number, code: string, message: string): Answer => [status, { code, message }]

async function answer(server: Omit<Server, 'url'>, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
  const text = Buffer.concat(await request.toArray()).toString()
  if (pathname === '/ping') return [204]
  if (request.headers.authorization !== `Token ${TOKEN}`)
    return fault(401, 'unauthorized', 'unauthorized access')
  const [, kind = '', id] = /^\/api\/v2\/(\w+)(?:\/(\w+))?$/.exec(pathname) ?? []
  const method = request.method ?? ''
  if (kind === 'orgs') {
    if (searchParams.get('org') !== ORG.name) return fault(404, 'not found', 'organization name not found')
    return [200, { orgs: [ORG] }]
  }
  if (method === 'GET') return list(server.state, kind, searchParams)
  const schema = BODIES[`${method} ${kind}` as keyof typeof BODIES]
  if (text !== '' && request.headers['content-type'] !== 'application/json')
    return fault(415, 'unsupported media type', 'content type')
  if (schema) {
    const read = schema.safeParse(JSON.parse(text))
    if (!read.success) return fault(400, 'invalid', z.prettifyError(read.error))
    if (kind === 'query') {
      if (searchParams.get('orgID') !== ORG.id) return fault(400, 'invalid', 'orgID')
      server.queries.push((read.data as { query: string }).query)
      return [200, server.csv]
    }
  } else if (method !== 'DELETE') return fault(404, 'not found', 'path not found')
  server.changes.push(`${method} ${pathname} ${text}`.trim())
  return change(server.state[kind as keyof State], method, kind, id, text)
}

function list(state: State, kind: string, query: URLSearchParams): Answer {
  const items = state[kind as keyof State]
  if (!items) return fault(404, 'not found', 'path not found')
  if (query.get('orgID') !== ORG.id) return fault(400, 'invalid', 'orgID')
  if (kind === 'dbrps')
    return [200, { content: items.filter(({ database }) => database === query.get('db')) }]
  if (kind === 'authorizations') return [200, { links: {}, authorizations: items }]
  const limit = Number(query.get('limit') ?? 20)
  if (limit > 100) return fault(400, 'invalid', 'limit')
  const first = items.findIndex(({ id }) => id === query.get('after')) + 1
  return [200, { links: {}, [kind]: items.slice(first, first + limit) }]
}

function change(items: Item[], method: string, kind: string, id: string | undefined, text: string): Answer {
  const given = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  const present = items.find(item => item.id === id)
  if (method === 'POST') {
    const item: Item = { id: newId(), ...given, ...extra(kind, given) }
    items.push(item)
    return [201, item]
  }
  if (!present) return fault(404, 'not found', `${kind} not found`)
  if (method === 'DELETE') {
    items.splice(items.indexOf(present), 1)
    return [204]
  }
  Object.assign(present, given, extra(kind, given))
  return [200, kind === 'dbrps' ? { content: present } : present]
}

/** The name of a task is in its program. */
function extra(kind: string, { flux }: Record<string, unknown>): Record<string, unknown> {
  if (kind === 'tasks') {
    const [, name = '""'] = /option task = {name: ("(?:[^"\\]|\\.)*"), every: \w+/.exec(String(flux)) ?? []
    return { name: JSON.parse(name.replaceAll('\\$', '$')), status: 'active' }
  }
  return kind === 'authorizations' ? { token: `token-${newId()}` } : {}
}

export const connection = { token: TOKEN }
