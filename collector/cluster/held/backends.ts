/** Which addresses answer for a Service now, from its EndpointSlices. */

import type { SliceObject } from '../objects.ts'
import { keyOf } from './keep.ts'

export class Backends {
  /** By Service, then by slice. */
  readonly #ips = new Map<string, Map<string, readonly string[]>>()

  of(namespace: string, service: string): string[] {
    return [...(this.#ips.get(keyOf(namespace, service))?.values() ?? [])].flat()
  }

  set({ namespace, service, name, ips }: SliceObject, before: SliceObject | undefined): void {
    if (before && before.service !== service) this.remove(before)
    if (service === '') return
    const key = keyOf(namespace, service)
    const slices = this.#ips.get(key) ?? new Map<string, readonly string[]>()
    this.#ips.set(key, slices.set(name, ips))
  }

  remove({ namespace, service, name }: SliceObject): void {
    const key = keyOf(namespace, service)
    const slices = this.#ips.get(key)
    slices?.delete(name)
    if (slices?.size === 0) this.#ips.delete(key)
  }
}
