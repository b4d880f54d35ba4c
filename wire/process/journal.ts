/** Lines for the journal: their priority stands in front as `<4>`, sd-daemon(3), and the journal knows the time. */

import { fstatSync } from 'node:fs'

const STDERR = 2

/** From pino's level, rounded down, to a priority of syslog(3). */
const PRIORITIES = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
] as const

export const ERROR = '<3>'
export const WARNING = '<4>'

export const priorityOf = (level: number): string =>
  `<${PRIORITIES.find(([least]) => level >= least)?.[1] ?? 7}>`

/**
 * Whether standard error is the journal's. systemd names the stream that it opened, systemd.exec(5); a descriptor that was
 * redirected since is another file.
 */
export function isJournal(env: NodeJS.ProcessEnv = process.env, fd = STDERR): boolean {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    return env['JOURNAL_STREAM'] === `${dev}:${ino}`
  } catch {
    return false
  }
}

/** Each line with the priority; unchanged where nobody reads it. */
export const withPriority = (priority: string, text: string): string =>
  isJournal() ? text.replace(/^(?=.)/gm, priority) : text
