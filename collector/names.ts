/** What is kept of names that probes send: a message may say more, and without end. */

import type { ContainerName, PodName } from '../probe/wire/message.ts'

const pick = <T>(value: T, names: readonly (keyof T & string)[]): T =>
  Object.fromEntries(names.flatMap(name => (value[name] === undefined ? [] : [[name, value[name]]]))) as T

export const containerName = (value: ContainerName): ContainerName =>
  pick(value, ['runtime', 'name', 'pod', 'sandbox', 'labels', 'pending'])

export const podName = (value: PodName): PodName => pick(value, ['name', 'namespace', 'labels'])

/** Of a 64-digit id, what people and ntopng use. */
export const shortId = (id: string): string => (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id)
