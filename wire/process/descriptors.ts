import { readFileSync } from 'node:fs'

/** Descriptors that this process may have open. Node.js has raised the soft limit to the hard one when it started. */
export function descriptorLimit(): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}
