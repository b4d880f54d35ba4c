/** Starts, watches and ends the process of a query. The collector never holds the data that it reads. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { extname, join } from 'node:path'
import { Problem } from '../../../routes.ts'
import type { Bounds } from './answer.ts'

export interface Question extends Bounds {
  readonly files: readonly string[]
  readonly sql: string
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** Exit codes of `main.ts`: its output is the answer, or an error. */
export const ANSWERED = 0
export const REFUSED = 3

const MAIN = join(import.meta.dirname, `main${extname(import.meta.filename)}`)
const FLAGS = ['--disable-sigusr1', '--no-warnings', '--max-old-space-size=256', MAIN]
/** Interval of the memory check: a query fills a gigabyte in a second. */
const LOOK_MS = 20
/** Columns and notes are added to the rows; a character has at most three bytes. */
const MAX_ANSWER = (characters: number) => 3 * characters + 2 ** 20
const MAX_COMPLAINT = 4096
/** Nice value. */
const BEHIND = 5

/**
 * @param gone aborted when the client has closed the connection
 * @returns the answer as JSON
 * @throws {Problem}
 */
export async function ask(question: Question, gone: AbortSignal): Promise<Buffer> {
  const { timeoutMs, maxBytes, maxCharacters } = question
  // nothing of this environment: it has tokens and passwords
  const child = spawn(process.execPath, FLAGS, { env: { TZ: 'UTC' }, cwd: '/', stdio: 'pipe' })
  const closed = once(child, 'close')
  closed.catch(() => {}) // awaited below
  let problem: Problem | undefined
  const end = (reason: Problem) => {
    problem ??= reason
    child.kill('SIGKILL')
  }
  const leave = () => end(new Problem(499, 'the client has closed the connection'))
  gone.addEventListener('abort', leave)
  if (gone.aborted) leave()
  const timeout = setTimeout(
    () => end(new Problem(408, `the query took more than ${timeoutMs} ms and was stopped`)),
    timeoutMs,
  )
  const looking = setInterval(() => {
    if (residentBytes(child.pid) > maxBytes)
      end(
        new Problem(
          413,
          `the query took more than ${maxBytes >> 20} MB of memory and was stopped: ask for fewer rows, columns or days`,
        ),
      )
  }, LOOK_MS)
  try {
    if (child.pid === undefined) await closed
    const output = collect(child.stdout, MAX_ANSWER(maxCharacters), () =>
      end(new Problem(413, 'the answer is too long: ask for fewer rows or columns')),
    )
    const complaint = collect(child.stderr, MAX_COMPLAINT, () => {})
    child.stdin.on('error', () => {}) // it has ended already: its exit code has the cause
    child.stdin.end(JSON.stringify(question))
    yieldTo(child.pid)
    const [code, signal] = await closed
    if (problem) throw problem
    if (code === ANSWERED) return await output
    if (code === REFUSED) {
      const { status, error } = JSON.parse(String(await output)) as { status: number; error: string }
      throw new Problem(status, error)
    }
    const why = String(await complaint)
      .trim()
      .split('\n')
      .at(-1)
    throw new Problem(
      500,
      `the process of the query ended (${signal ?? `code ${code}`}): ${why || 'no reason given'}`,
    )
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(503, `the process of the query could not be started: ${(error as Error).message}`)
  } finally {
    gone.removeEventListener('abort', leave)
    clearTimeout(timeout)
    clearInterval(looking)
  }
}

/** The whole stream, up to the bound. */
async function collect(from: NodeJS.ReadableStream, max: number, tooLong: () => void): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of from as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= max) chunks.push(chunk)
    else tooLong()
  }
  return Buffer.concat(chunks)
}

/** VmRSS of /proc/PID/status: in kB, independent of the page size. */
function residentBytes(pid: number | undefined): number {
  try {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
    return Number(kilobytes) * 1024
  } catch {
    return 0 // it has ended
  }
}

/** Lowers the priority: the collector goes first. */
function yieldTo(pid: number | undefined): void {
  try {
    setPriority(pid!, BEHIND)
  } catch {
    // it has ended, or could not be started
  }
}
