/** What the ends of conversations are called. Each is looked up once for many conversations. */

import { addressText } from '../../wire/address_text.ts'
import { beganMs, clusterEndOf, podOf } from '../flows/ends/cluster_ends.ts'
import { WORD } from '../flows/table/columns.ts'
import type { FlowStore } from '../flows/table/store.ts'
import { processCalled, shortId } from '../fold/names.ts'

export interface PeerEnd {
  /** The pod, else the container, else the process; of an end that no probe watches what the cluster calls it, else its address. */
  readonly name: string
  /** Empty for an end that no probe watches, as all that follow but its pod and namespace, where the cluster knows them. */
  readonly host: string
  /** Id; empty for what is in none. */
  readonly container: string
  readonly containerName: string
  readonly pod: string
  readonly podUid: string
  readonly namespace: string
  readonly process: string
}

const UNKNOWN = {
  ...{ host: '', container: '', containerName: '', pod: '', podUid: '', namespace: '', process: '' },
}

export class PeerNames {
  readonly #store: FlowStore
  /** By number of the program. */
  readonly #programs = new Map<number, string>()

  constructor(store: FlowStore) {
    this.#store = store
  }

  /** The same for all flows of one program in one place. @param far who sees the address of an end that is not known */
  key(flow: number, far: number): string {
    if (flow === 0) return this.#address(far)
    const { table } = this.#store
    return `${table.word(flow, WORD.RUN)}.${table.word(flow, WORD.PLACE)}.${this.#program(flow)}`
  }

  of(flow: number, far: number): PeerEnd {
    if (flow === 0) return { ...UNKNOWN, ...this.#unwatched(far) }
    const { table, places } = this.#store
    const process = this.#program(flow)
    const place = places.get(table.word(flow, WORD.PLACE))
    const { host } = this.#store.runOf(flow)
    if (!place) return { ...UNKNOWN, name: process, host, process }
    const container = shortId(place.id)
    const known = podOf(this.#store, place)
    const pod = known?.name ?? ''
    return {
      name: pod || place.name.name || container,
      ...{ host, container, containerName: place.name.name ?? '', pod, process },
      podUid: place.name.pod ?? '',
      namespace: known?.namespace ?? '',
    }
  }

  #unwatched(far: number): Pick<PeerEnd, 'name'> & Partial<PeerEnd> {
    const known = clusterEndOf(this.#store, 0, far, beganMs(this.#store, far))
    if (!known) return { name: this.#address(far) }
    const { kind, name, namespace = '', podUid = '' } = known
    return kind === 'pod' ? { name, pod: name, podUid, namespace } : { name, namespace }
  }

  #program(flow: number): string {
    const { table, programs } = this.#store
    const number = table.word(flow, WORD.PROGRAM)
    let called = this.#programs.get(number)
    if (called === undefined) {
      const program = programs.get(number)
      called = processCalled(table.word(flow, WORD.PID), program?.comm ?? '', program?.name)
      if (number !== 0) this.#programs.set(number, called)
    }
    return called
  }

  #address(flow: number): string {
    const word = (index: number) => this.#store.table.word(flow, WORD.REMOTE + index)
    return addressText(word(0), word(1), word(2), word(3))
  }
}
