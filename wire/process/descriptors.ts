import { readFileSync } from 'node:fs'

/** The limit of open descriptors of this process. Node.js raises the soft limit to the hard one at start. */
export function descriptorLimit(): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}
