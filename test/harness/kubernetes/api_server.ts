/**
 * A stand-in for an API server, as the Kubernetes API concepts describe it: lists in pages of one version, watches from a version
 * on, bookmarks, versions that are gone, rights, an end of each watch.
 */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { KINDS, type Kind } from '../../../collector/cluster/kinds.ts'

type Labels = Readonly<Record<string, string>>
export interface Thing {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly labels?: Labels
    readonly [name: string]: unknown
  }
  readonly [name: string]: unknown
}
interface Event {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Thing
}
interface Watch {
  readonly response: ServerResponse
  /** Events up to this version are not for it. */
  readonly from: number
  readonly as: (object: Thing) => unknown
}

const keyOf = ({ metadata: { namespace = '', name } }: Thing): string => `${namespace}/${name}`

class Resource {
  readonly kind: Kind
  readonly objects = new Map<string, Thing>()
  readonly events: Event[] = []
  readonly watches = new Set<Watch>()
  /** Of running lists. */
  readonly snapshots = new Map<string, { version: number; rest: readonly Thing[] }>()
  /** Events up to this version are forgotten. */
  compacted = 0
  constructor(kind: Kind) {
    this.kind = kind
  }
}

export class ApiServer {
  url = ''
  /** What was asked, in order: paths with their parameters. */
  readonly asked: string[] = []
  /** Answers these resources with this status. */
  readonly refused = new Map<string, number>()
  token = ''
  /** To a watch from a version that is not there yet: nothing until it is, a refusal, or an event that is one. */
  ahead: 'silent' | 'refused' | 'event' = 'silent'
  /** Seconds that a watch lasts at most, whatever it asks for. */
  longestS = 3600
  #version = 1000
  #snapshots = 0
  readonly #resources = new Map<string, Resource>()

  static async start(t: Pick<Test, 'teardown'>): Promise<ApiServer> {
    const api = new ApiServer()
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const { group, resource } = KINDS[kind]
      const root = group.includes('/') ? 'apis' : 'api'
      api.#resources.set(`/${root}/${group}/${resource}`, new Resource(kind))
    }
    const server = createServer((request, response) => api.#answer(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    api.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
    t.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    return api
  }

  set(kind: Kind, object: Thing): void {
    const resource = this.#of(kind)
    const type = resource.objects.has(keyOf(object)) ? 'MODIFIED' : 'ADDED'
    const stored = this.#versioned(object)
    resource.objects.set(keyOf(object), stored)
    this.#happened(resource, type, stored)
  }

  delete(kind: Kind, namespace: string, name: string): void {
    const resource = this.#of(kind)
    const object = resource.objects.get(`${namespace}/${name}`)!
    resource.objects.delete(keyOf(object))
    this.#happened(resource, 'DELETED', this.#versioned(object))
  }

  /** Sends the newest version to all watches of the kind. */
  bookmark(kind: Kind): void {
    const metadata = { name: '', creationTimestamp: null, resourceVersion: String(++this.#version) }
    for (const { response } of this.#of(kind).watches)
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { kind, metadata } })}\n`)
  }

  /** Forgets everything before now, as the server does after five minutes. */
  compact(kind: Kind): void {
    const resource = this.#of(kind)
    resource.compacted = this.#version
    resource.events.length = 0
    resource.snapshots.clear()
  }

  /** Ends the connections of all watches: `hard` without the end of the answer. */
  disconnect(kind: Kind, hard = true): void {
    for (const { response } of this.#of(kind).watches) {
      if (hard) response.destroy()
      else response.end()
    }
    this.#of(kind).watches.clear()
  }

  /** From a backup: all versions after this many changes ago, and what they said of the kind, are lost. */
  restore(kind: Kind, objects: readonly Thing[], changes: number): void {
    const resource = this.#of(kind)
    this.#version -= changes
    resource.events.length = 0
    resource.objects.clear()
    for (const object of objects) resource.objects.set(keyOf(object), this.#versioned(object))
  }

  watching(kind: Kind): number {
    return this.#of(kind).watches.size
  }

  #of(kind: Kind): Resource {
    return [...this.#resources.values()].find(one => one.kind === kind)!
  }

  #versioned(object: Thing): Thing {
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
  }

  #happened(resource: Resource, type: Event['type'], object: Thing): void {
    resource.events.push({ version: this.#version, type, object })
    for (const { response, as, from } of resource.watches)
      if (this.#version > from) response.write(`${JSON.stringify({ type, object: as(object) })}\n`)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://api')
    this.asked.push(`${url.pathname}${url.search}`)
    const resource = this.#resources.get(url.pathname)
    if (this.token !== '' && request.headers.authorization !== `Bearer ${this.token}`) {
      status(response, 401, 'Unauthorized')
      return
    }
    if (!resource) {
      status(response, 404, 'the server could not find the requested resource')
      return
    }
    const { resource: name } = KINDS[resource.kind]
    const refusal = this.refused.get(name)
    if (refusal !== undefined) {
      status(response, refusal, `${name} is forbidden: User "x" cannot list resource "${name}"`)
      return
    }
    const isMetadata = request.headers.accept?.includes('as=PartialObjectMetadata') ?? false
    const as = (object: Thing): unknown =>
      isMetadata ? { kind: 'PartialObjectMetadata', metadata: object.metadata } : object
    if (url.searchParams.get('watch') === '1') this.#watch(resource, url, response, as)
    else this.#list(resource, url, response, as)
  }

  #list(resource: Resource, url: URL, response: ServerResponse, as: Watch['as']): void {
    const token = url.searchParams.get('continue')
    const known = token === null ? undefined : resource.snapshots.get(token)
    if (token !== null && !known) {
      status(response, 410, 'The provided continue parameter is too old', 'Expired')
      return
    }
    const { version, rest } = known ?? { version: this.#version, rest: [...resource.objects.values()] }
    const limit = Number(url.searchParams.get('limit') ?? 0) || rest.length
    const left = rest.slice(limit)
    const next = left.length > 0 ? `page-${++this.#snapshots}` : ''
    if (next !== '') resource.snapshots.set(next, { version, rest: left })
    const metadata = {
      resourceVersion: String(version),
      ...(next !== '' && { continue: next, remainingItemCount: left.length }),
    }
    const items = rest.slice(0, limit).map(as)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ kind: `${resource.kind}List`, metadata, items }))
  }

  #watch(resource: Resource, url: URL, response: ServerResponse, as: Watch['as']): void {
    const from = Number(url.searchParams.get('resourceVersion'))
    const early = `Too large resource version: ${from}, current: ${this.#version}`
    if (from > this.#version && this.ahead === 'refused') {
      status(response, 504, early, 'Timeout')
      return
    }
    response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
    response.flushHeaders()
    if (from > this.#version && this.ahead === 'event') {
      const object = { kind: 'Status', status: 'Failure', reason: 'Timeout', code: 504, message: early }
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`)
      return
    }
    if (from < resource.compacted) {
      const object = {
        ...{ kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 },
        message: `too old resource version: ${from} (${resource.compacted})`,
      }
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`)
      return
    }
    for (const { version, type, object } of resource.events)
      if (version > from) response.write(`${JSON.stringify({ type, object: as(object) })}\n`)
    const watch = { response, as, from }
    resource.watches.add(watch)
    const seconds = Math.min(Number(url.searchParams.get('timeoutSeconds') ?? 3600), this.longestS)
    const end = setTimeout(() => response.end(), seconds * 1000)
    response.on('close', () => {
      clearTimeout(end)
      resource.watches.delete(watch)
    })
  }
}

function status(response: ServerResponse, code: number, message: string, reason = ''): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', status: 'Failure', message, reason, code }))
}
