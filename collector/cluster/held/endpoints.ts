/** Which Services a pod's port answers for, from their EndpointSlices. */

import type { Protocol } from '../facts.ts'
import type { SliceObject } from '../objects.ts'
import { Backends } from './backends.ts'
import { type Index, portKey } from './keep.ts'
import { Shared } from './shared.ts'

/** A port of a Service, by its name. */
export interface Answers {
  readonly namespace: string
  readonly service: string
  readonly portName: string
}

const nameOf = ({ namespace, service, portName }: Answers): string => `${namespace}/${service}:${portName}`

export class Endpoints implements Index<SliceObject> {
  /** By endpoint and Service: one endpoint may answer for several, and be in several slices of one. */
  readonly #times = new Shared<string>()
  /** By endpoint, what it answers or answered for, by name. */
  readonly #answers = new Map<string, Map<string, Answers>>()
  readonly backends = new Backends()

  get refused(): number {
    return this.#times.refused
  }

  at(ip: string, port: number, protocol: Protocol, atMs: number): Answers[] {
    const key = portKey(ip, port, protocol)
    const found = this.#answers.get(key)
    if (!found) return []
    return [...found].flatMap(([name, answers]) =>
      this.#times.at(`${key} ${name}`, atMs) === undefined ? [] : [answers],
    )
  }

  set(object: SliceObject, before: SliceObject | undefined, atMs: number): void {
    this.backends.set(object, before)
    const now = new Map(pairsOf(object))
    for (const [key] of before ? pairsOf(before) : [])
      if (!now.has(key)) this.#times.end(key, object.name, atMs)
    for (const [key, { endpoint, answers }] of now) {
      // a slice does not say since when it has an endpoint: at the earliest since it was made
      this.#times.begin(key, object.name, before ? atMs : object.created)
      if (!this.#times.has(key)) continue // no room
      const all = this.#answers.get(endpoint) ?? new Map<string, Answers>()
      this.#answers.set(endpoint, all.set(nameOf(answers), answers))
    }
  }

  remove(object: SliceObject, atMs: number): void {
    this.backends.remove(object)
    for (const [key] of pairsOf(object)) this.#times.end(key, object.name, atMs)
  }

  expire(beforeMs: number): void {
    this.#times.expire(beforeMs)
    for (const [endpoint, all] of this.#answers) {
      for (const name of all.keys()) if (!this.#times.has(`${endpoint} ${name}`)) all.delete(name)
      if (all.size === 0) this.#answers.delete(endpoint)
    }
  }
}

function pairsOf({ namespace, service, ips, ports }: SliceObject) {
  if (service === '') return []
  return ips.flatMap(ip =>
    ports.map(({ name, port, protocol }) => {
      const answers: Answers = { namespace, service, portName: name }
      const endpoint = portKey(ip, port, protocol)
      return [`${endpoint} ${nameOf(answers)}`, { endpoint, answers }] as const
    }),
  )
}
