/** What a node of the map is, and what it is called. */

import { type Called, calledOf } from '../../flows/conversation.ts'
import { ipAt } from '../../flows/ends/endpoint.ts'
import type { FlowStore } from '../../flows/table/store.ts'
import { Problem } from '../../routes.ts'

export interface Node {
  readonly id: string
  readonly name: string
  /** No probe sees it. */
  readonly outside: boolean
  /** Filters that show it alone. */
  readonly only: Readonly<Record<string, string>>
}

type Named = readonly [id: string, name: string]
/** Containers of many pods have the same name. */
const nameOf = ({ pod, containerName, container }: Called): string =>
  [pod, containerName || container].filter(Boolean).join('/')
const containerOf = (end: Called): Named => [`${end.host} ${end.container}`, nameOf(end) || `(${end.host})`]
const NAMES = {
  container: containerOf,
  pod: (end: Called): Named =>
    end.pod ? [`${end.namespace}/${end.pod}`, `${end.namespace}/${end.pod}`] : containerOf(end),
  process: (end: Called): Named => [
    `${end.host} ${end.container} ${end.process}`,
    end.container ? `${end.process} in ${nameOf(end)}` : end.process,
  ],
  host: (end: Called): Named => [end.host, end.host],
}
export type By = keyof typeof NAMES

/** @throws {Problem} when there is no such map */
export function byOf(asked: URLSearchParams): By {
  const by = asked.get('by') ?? 'container'
  if (!Object.hasOwn(NAMES, by)) throw new Problem(400, `by must be one of ${Object.keys(NAMES).join(', ')}`)
  return by as By
}

/** Each node once, by number. */
export class Nodes {
  readonly #store: FlowStore
  readonly #by: By
  readonly #numbers = new Map<string, number>()
  readonly #all: Node[] = []

  constructor(store: FlowStore, by: By) {
    this.#store = store
    this.#by = by
  }

  at(number: number): Node {
    return this.#all[number]!
  }

  /** @param flow of the end, 0: unknown. @param other the flow of the other end, which has its address */
  numberOf(flow: number, other: number): number {
    const end = flow === 0 ? undefined : calledOf(this.#store, flow)
    const [id, name] = end ? NAMES[this.#by](end) : this.#outside(other)
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    const only = end ? onlyOf(this.#by, end) : { text: id }
    this.#numbers.set(id, this.#all.length)
    return this.#all.push({ id, name, outside: !end, only }) - 1
  }

  #outside(other: number): Named {
    const ip = ipAt(this.#store, other, 'remote')
    return [ip, ip]
  }
}

function onlyOf(by: By, end: Called): Record<string, string> {
  if (by === 'host') return { host: end.host }
  if (by === 'pod' && end.pod) return { namespace: end.namespace ?? '', pod: end.pod }
  const container = { container: end.container || '(host)' }
  return by === 'process' ? { ...container, process: end.process } : container
}
