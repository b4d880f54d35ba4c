/** Standard error, without waiting: a pipe that nobody reads, a full disk or a terminal that is gone stops no program. */

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { isatty } from 'node:tty'
import { LineWriter } from './line_writer.ts'

const STDERR = 2

let writer: LineWriter | undefined
/** It made a shared descriptor non-blocking; to close it would close standard error. */
let kept: Socket | undefined

/** The one that writes there; what waits at the exit gets a moment more. */
export function standardError(): LineWriter {
  if (writer) return writer
  const fd = descriptor()
  const opened = new LineWriter(bytes => writeSync(fd, bytes))
  process.on('exit', () => opened.close())
  writer = opened
  return opened
}

/** Of what standard error is, for writing without waiting. Of a file the same one: they share the offset. */
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
    // closed: each line will be refused
  }
  return STDERR
}

/** Anew, so that whoever shares our standard error is not changed with us; undefined when it is another user's. */
function reopened(): number | undefined {
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
    const fd = openSync(`/proc/self/fd/${STDERR}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
    if (fd > STDERR) return fd
    closeSync(fd)
  } catch {
    // or nobody reads it now
  }
  return undefined
}
