/** The fields of names that are kept: a message may have others, of any size. */

import type { ContainerName, Names, PodName, ProcessName } from '../../wire/message.ts'

const pick = <T>(value: T, names: readonly (keyof T & string)[]): T =>
  Object.fromEntries(names.flatMap(name => (value[name] === undefined ? [] : [[name, value[name]]]))) as T

/** Of the last window's names, which mostly come again as the same objects. */
const kept = new WeakMap<object, ReadonlyMap<string, unknown>>()

function keep<T>(
  all: Readonly<Record<string, T>>,
  names: readonly (keyof T & string)[],
): ReadonlyMap<string, T> {
  let own = kept.get(all) as ReadonlyMap<string, T> | undefined
  if (!own) {
    own = new Map(Object.entries(all).map(([id, value]) => [id, pick(value, names)]))
    kept.set(all, own)
  }
  return own
}

export const containerNames = (all: Names['containers']): ReadonlyMap<string, ContainerName> =>
  keep(all, ['runtime', 'name', 'pod', 'sandbox', 'labels', 'pending'])

export const podNames = (all: Names['pods']): ReadonlyMap<string, PodName> =>
  keep(all, ['name', 'namespace', 'labels'])

/** Of a 64-digit id, what people and ntopng use. */
export const shortId = (id: string): string => (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id)

/** Sockets in no process: the kernel's own, and those whose process has ended. */
const KERNEL = '(kernel)'

/** @param comm of the row, for a process that the probe has no name of */
export const processCalled = (pid: number, comm: string, name: ProcessName | undefined): string =>
  name?.name || (pid === 0 || comm === '' ? KERNEL : comm)
