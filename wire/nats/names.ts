/** What is called how on a NATS server: subjects, the stream, its consumers and buckets. */

/** The stream with the windows of all hosts. */
export const STREAM = 'SOCKFLUX'
/** Who works on which partition, and which collectors there are. A key is gone when nobody has renewed it for so long. */
export const LEASES = 'sockflux_lease'
/** What a collector knows of the hosts of a partition, for the next one; and the number of partitions. */
export const STATES = 'sockflux_state'

/** Probes publish here; the server maps it to a partition. */
const IN = 'sockflux.in'
/** `sockflux.w.PARTITION.HOST`: what the stream takes. */
const WINDOWS = 'sockflux.w'
export const ALL_WINDOWS = `${WINDOWS}.>`

/** In that bucket. */
export const PARTITIONS_KEY = 'partitions'

export const DEFAULT_PARTITIONS = 64
export const MAX_PARTITIONS = 1024

/** A host as one token of a subject: what has a meaning there is percent-coded. */
export const tokenOf = (host: string): string =>
  encodeURIComponent(host.toWellFormed()).replaceAll('.', '%2E').replaceAll('*', '%2A')

/** @returns undefined for a token that is no host's */
export function hostOf(token: string): string | undefined {
  try {
    return decodeURIComponent(token)
  } catch {
    return undefined
  }
}

/** FNV-1a, 32 bits, modulo: as `partition` in the server's mappings. */
export function partitionOf(token: string, partitions: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(token)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash % partitions
}

/**
 * Where a host publishes.
 * @param partitions undefined: the server maps it
 */
export const subjectOf = (token: string, partitions?: number): string =>
  partitions === undefined ? `${IN}.${token}` : `${WINDOWS}.${partitionOf(token, partitions)}.${token}`

/** What a partition's consumer gets. */
export const subjectsOf = (partition: number): string => `${WINDOWS}.${partition}.*`

/** The mapping of the server's configuration, from and to. */
export const mappingOf = (partitions: number): readonly [string, string] => [
  `${IN}.*`,
  `${WINDOWS}.{{partition(${partitions},1)}}.{{wildcard(1)}}`,
]

/** @returns of a message's subject; undefined for another */
export function placeOf(subject: string): { partition: number; host: string } | undefined {
  const [, partition, token] = /^sockflux\.w\.(\d+)\.([^.]+)$/.exec(subject) ?? []
  const host = token === undefined ? undefined : hostOf(token)
  return host === undefined ? undefined : { partition: Number(partition), host }
}

/** Of answers to this host: its user need not hear those to others. */
export const inboxOf = (token: string): string => `_INBOX.${token}`

export const consumerOf = (group: string, partition: number): string => `sf-${group}-${partition}`
