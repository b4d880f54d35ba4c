/** The keys that a probe connects with. */

import { join } from 'node:path'
import { isKey, type KeyPair } from './key.ts'
import { COLLECTOR_PUBLIC, readPublic, readSecret, secretPath } from './key_files.ts'

export interface ProbeKeys {
  /** Directory of keys. */
  readonly keys: string
  /** Public keys of collectors, or files of them; none: those in the directory. */
  readonly collectorKey: readonly string[]
}

/** Our key, and the key of who is to be at the other end. */
export interface Curve {
  readonly own: KeyPair
  readonly collector: string
}

/**
 * One for each key that a collector may have: while its key changes there are two.
 * @throws with the file that is missing or wrong
 */
export function curvesOf(given: ProbeKeys): Curve[] {
  const own = readSecret(secretPath(given.keys, 'probe'))
  const files = publicFiles(given)
  const keys = [...given.collectorKey.filter(isKey), ...files.flatMap(readPublic)]
  if (keys.length === 0) throw new Error(`${files.join(', ')} has no public key of a collector`)
  return [...new Set(keys)].map(collector => ({ own, collector }))
}

/** All that is read. */
export const filesOf = (given: ProbeKeys): string[] => [
  secretPath(given.keys, 'probe'),
  ...publicFiles(given),
]

const publicFiles = ({ keys, collectorKey }: ProbeKeys): string[] =>
  collectorKey.length > 0 ? collectorKey.filter(given => !isKey(given)) : [join(keys, COLLECTOR_PUBLIC)]
