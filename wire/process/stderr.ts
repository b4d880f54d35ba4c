/** Standard error without blocking: an unread pipe, a full disk or a closed terminal stops no program. */

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { isatty } from 'node:tty'
import { LineWriter } from './line_writer.ts'

const STDERR = 2

let writer: LineWriter | undefined
/** The socket that made a shared descriptor non-blocking; closing it would close standard error. */
let kept: Socket | undefined

/** The writer of standard error; lines that still wait at exit get some more time. */
export function standardError(): LineWriter {
  if (writer) return writer
  const fd = descriptor()
  const opened = new LineWriter(bytes => writeSync(fd, bytes))
  process.on('exit', () => opened.close())
  writer = opened
  return opened
}

/** A descriptor of standard error for writing without blocking. For a file it is the same one: they share the offset. */
function descriptor(): number {
  try {
    const stat = fstatSync(STDERR)
    const isPipe = stat.isFIFO()
    const own = isPipe || isatty(STDERR) ? reopened() : undefined
    if (own !== undefined) return own
    if (isPipe || stat.isSocket()) {
      kept = new Socket({ fd: STDERR, readable: false, writable: true })
      kept.on('error', () => {}).unref()
    }
  } catch {
    // standard error is closed: each line will be refused
  }
  return STDERR
}

/** Opens it again, so that other processes with the same standard error are not made non-blocking; undefined if it is another user's. */
function reopened(): number | undefined {
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
    const fd = openSync(`/proc/self/fd/${STDERR}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
    if (fd > STDERR) return fd
    closeSync(fd)
  } catch {
    // or it has no reader now
  }
  return undefined
}
