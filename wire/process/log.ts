/** The log: JSON for machines, sentences on a terminal and for the journal. A line that cannot be written is dropped and counted. */

import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'
import { isJournal, priorityOf } from './journal.ts'
import { standardError } from './stderr.ts'

/** Fields that people do not need, or that are shown before the message. */
const HIDDEN = new Set(['time', 'level', 'name', 'msg', 'pid', 'hostname'])

/** Dropped lines of the log: nothing read them, or there was no room. */
export const droppedLines = (): number => standardError().dropped

/** The log and those made of it: each has a level of its own. */
const logs: Logger[] = []

/** Call once: a program has one log. */
export function openLog(name: string, level: string): Logger {
  const error = standardError()
  const shown = isJournal() ? forJournal : isatty(2) ? forPeople : (line: string) => line
  const onChild = (child: Logger) => void logs.push(child)
  const log = pino({ name, level, onChild }, { write: line => error.write(shown(line)) })
  logs.push(log)
  error.note = dropped => {
    const fields = { level: pino.levels.values['warn'], time: Date.now(), name, dropped }
    return shown(`${JSON.stringify({ ...fields, msg: 'log lines were dropped: nothing read them' })}\n`)
  }
  // Node.js itself does not print warnings (--no-warnings): they are log lines
  process.on('warning', warning => log.warn(`${warning.name}: ${warning.message}`))
  return log
}

/** Of the running program's log. */
export function setLevel(level: string): void {
  for (const log of logs) log.level = level
}

/** `23:11:05 warn  probe: no collector answers; … (collector=tcp://…)` */
export function forPeople(line: string): string {
  const { level, time, text } = sentenceIn(line)
  const at = new Date(time).toTimeString().slice(0, 8)
  return `${at} ${(pino.levels.labels[level] ?? '').padEnd(5)} ${text}\n`
}

/** `<4>probe: no collector answers; … (collector=tcp://…)` */
export function forJournal(line: string): string {
  const { level, text } = sentenceIn(line)
  return `${priorityOf(level)}${text}\n`
}

function sentenceIn(line: string): { level: number; time: number; text: string } {
  const fields = JSON.parse(line) as Record<string, unknown>
  const { time, level, name, msg } = fields
  const others = Object.entries(fields)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const behind = others.length > 0 ? ` (${others.join(' ')})` : ''
  const text = `${name}: ${msg ?? ''}${behind}`.replace(/\p{C}/gu, '·')
  return { level: Number(level), time: Number(time), text }
}
