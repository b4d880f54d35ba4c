/** The log: JSON for machines, sentences on a terminal. A line that cannot be written is dropped and counted. */

import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'
import { standardError } from './stderr.ts'

/** Fields that people do not need, or that are shown before the message. */
const HIDDEN = new Set(['time', 'level', 'name', 'msg', 'pid', 'hostname'])

/** Dropped lines of the log: nothing read them, or there was no room. */
export const droppedLines = (): number => standardError().dropped

/** Call once: a program has one log. */
export function openLog(name: string, level: string): Logger {
  const error = standardError()
  const shown = isatty(2) ? forPeople : (line: string) => line
  const log = pino({ name, level }, { write: line => error.write(shown(line)) })
  error.note = dropped => {
    const fields = { level: pino.levels.values['warn'], time: Date.now(), name, dropped }
    return shown(`${JSON.stringify({ ...fields, msg: 'log lines were dropped: nothing read them' })}\n`)
  }
  // Node.js itself does not print warnings (--no-warnings): they are log lines
  process.on('warning', warning => log.warn(`${warning.name}: ${warning.message}`))
  return log
}

/** `23:11:05 warn  probe: no collector answers; … (collector=tcp://…)` */
export function forPeople(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>
  const { time, level, name, msg } = fields
  const others = Object.entries(fields)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const at = new Date(Number(time)).toTimeString().slice(0, 8)
  const behind = others.length > 0 ? ` (${others.join(' ')})` : ''
  const text = `${at} ${(pino.levels.labels[Number(level)] ?? '').padEnd(5)} ${name}: ${msg ?? ''}${behind}`
  return `${text.replace(/\p{C}/gu, '·')}\n`
}
