/** Pods, by address and UID; those that are gone for a while, too. */

import type { PodFact, Workload } from '../facts.ts'
import { Intervals } from '../intervals.ts'
import type { PodObject } from '../objects.ts'
import { type Index, keyOf } from './keep.ts'
import { Shared } from './shared.ts'
import type { Guess } from './workloads.ts'

/** What a pod's facts take from other objects. */
export interface Around {
  zoneOf(node: string): string
  workloadOf(pod: PodObject): Guess
}

class Pod implements PodFact {
  object: PodObject
  /** Undefined: it goes on. */
  until: number | undefined
  readonly #around: Around
  #workload: Guess | undefined

  constructor(object: PodObject, around: Around) {
    this.object = object
    this.#around = around
  }

  get uid() {
    return this.object.uid
  }
  get namespace() {
    return this.object.namespace
  }
  get name() {
    return this.object.name
  }
  get node() {
    return this.object.node
  }
  get labels() {
    return this.object.labels
  }
  get zone() {
    return this.#around.zoneOf(this.object.node)
  }
  /** An end in the future is that of a wrong clock. */
  endedBy(atMs: number): number {
    return Math.min(this.object.ended ?? atMs, atMs)
  }
  /** What made it may come later than the pod, and go before it. */
  get workload(): Workload {
    if (!this.#workload?.isSure) this.#workload = this.#around.workloadOf(this.object)
    return this.#workload.workload
  }
}

export class Pods implements Index<PodObject> {
  readonly #byUid = new Map<string, Pod>()
  readonly #byAddress = new Intervals<Pod>()
  readonly #byOther = new Shared<Pod>()
  readonly #byContainer = new Map<string, Pod>()
  readonly #around: Around

  constructor(around: Around) {
    this.#around = around
  }

  containerName(id: string): string | undefined {
    return this.#byContainer.get(id)?.object.containers[id]
  }

  byUid(uid: string): PodFact | undefined {
    return this.#byUid.get(uid)
  }

  byAddress(ip: string, atMs: number): PodFact | undefined {
    const found = this.#byAddress.at(ip, atMs)
    return found ?? (this.#byOther.isShared(ip) ? undefined : this.#byOther.at(ip, atMs))
  }

  get refused(): number {
    return this.#byAddress.refused + this.#byOther.refused
  }

  set(given: PodObject, was: PodObject | undefined, atMs: number): void {
    const [object, before] = [this.#own(given), was && this.#own(was)]
    if (before && before.uid !== object.uid) this.remove(before, atMs, before)
    const pod = this.#byUid.get(object.uid) ?? new Pod(object, this.#around)
    this.#byUid.set(object.uid, pod)
    // a static pod keeps its UID when its mirror in the API goes and comes again
    pod.until = undefined
    for (const id in pod.object.containers) if (!(id in object.containers)) this.#byContainer.delete(id)
    for (const id in object.containers) this.#byContainer.set(id, pod)
    pod.object = object
    if (!object.hostNetwork) this.#addresses(pod, before, atMs)
    if (object.isOver) for (const ip of object.ips) this.#end(ip, pod, atMs)
    this.#others(pod, before?.uid === object.uid ? before.otherIps : [], before ? atMs : object.started, atMs)
  }

  #others(pod: Pod, had: readonly string[], from: number, atMs: number): void {
    const { otherIps, isOver } = pod.object
    const has = isOver ? [] : otherIps
    for (const ip of had) if (!has.includes(ip)) this.#byOther.end(ip, pod, pod.endedBy(atMs))
    for (const ip of has) this.#byOther.begin(ip, pod, from)
  }

  /** A UID is of one pod: another one with it, which is a copy or a lie, has its name for it. */
  #own(object: PodObject): PodObject {
    const key = keyOf(object.namespace, object.name)
    const known = this.#byUid.get(key)
    if (known && known.until === undefined) return { ...object, uid: key }
    const holder = this.#byUid.get(object.uid)
    const isOwn = !holder || (holder.namespace === object.namespace && holder.name === object.name)
    return isOwn ? object : { ...object, uid: keyOf(object.namespace, object.name) }
  }

  #addresses(pod: Pod, before: PodObject | undefined, atMs: number): void {
    const { ips, started, isOver, ended } = pod.object
    const had = before?.uid === pod.uid ? before.ips : []
    for (const ip of had) if (!ips.includes(ip)) this.#end(ip, pod, atMs)
    // a pod whose sandbox was made anew gets another address while it lives
    const from = had.length > 0 && had.some(ip => !ips.includes(ip)) ? atMs : started
    // one that was over when we came and does not say since when: nobody knows how long it had an address
    if (isOver && ended === undefined && had.length === 0) return
    for (const ip of ips) if (!had.includes(ip)) this.#byAddress.begin(ip, pod, from)
  }

  #end(ip: string, pod: Pod, atMs: number): void {
    this.#byAddress.end(ip, pod, pod.endedBy(atMs), pod.object.ended !== undefined)
  }

  remove(given: PodObject, atMs: number, last: PodObject): void {
    const object = this.#own(given)
    const pod = this.#byUid.get(object.uid)
    if (!pod) return
    // its last state may have fewer containers than were known
    const containers = { ...object.containers, ...last.containers }
    pod.object = { ...last, uid: object.uid, containers }
    for (const id in last.containers) this.#byContainer.set(id, pod)
    pod.until = atMs
    for (const ip of object.ips) this.#end(ip, pod, atMs)
    for (const ip of object.otherIps) this.#byOther.end(ip, pod, pod.endedBy(atMs))
  }

  expire(beforeMs: number): void {
    this.#byAddress.expire(beforeMs)
    this.#byOther.expire(beforeMs)
    for (const [uid, { until = Number.POSITIVE_INFINITY, object }] of this.#byUid) {
      if (until >= beforeMs) continue
      this.#byUid.delete(uid)
      for (const id in object.containers) this.#byContainer.delete(id)
    }
  }
}
