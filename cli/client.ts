import { request as httpRequest } from 'node:http'
import type { Writable } from 'node:stream'
import type { Answer } from '../collector/sinks/embedded/query/answer.ts'
import { type Format, formats } from './format.ts'
import { printable } from './printable.ts'

/** A query without its text. */
export interface QueryFrom {
  /** The collector's unix socket. */
  readonly socket: string
  /** First and last day, in UTC. */
  readonly from?: unknown
  readonly to?: unknown
  readonly format: Format
  readonly out: Writable
  /** For notes about missing rows. */
  readonly err: Writable
}

interface Query extends QueryFrom {
  readonly sql: string
}

/**
 * `sockflux query`: sends the query to the running collector and prints the answer.
 * @throws with one sentence: no collector answers, or DuckDB's error about the SQL.
 */
export async function runQuery({ socket, sql, from, to, format, out, err }: Query): Promise<void> {
  const { status, body } = await ask(socket, 'POST', '/query', { sql, from, to })
  const answer = JSON.parse(body) as Answer & { error?: string }
  if (status !== 200) throw new Error(lines(answer.error) ?? `the collector answered ${status}`)
  await print(out, formats[format](answer))
  for (const note of answer.notes ?? []) await print(err, `${printable(note)}\n`)
  if (answer.truncated)
    await print(
      err,
      `only the first ${answer.rows.length} rows are shown: add a LIMIT or select fewer rows\n`,
    )
}

/** DuckDB's errors have several lines, and names from outside. */
const lines = (error: string | undefined): string | undefined => error?.split('\n').map(printable).join('\n')

/** Sends one request to the collector's socket. */
export async function ask(socketPath: string, method: string, path: string, body?: unknown) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>()
  const request = httpRequest({ socketPath, method, path, agent: false }, response => {
    let text = ''
    response.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    response.on('end', () => resolve({ status: response.statusCode, body: text })).on('error', reject)
  })
  request.on('error', error => reject(explain(error, socketPath)))
  request.end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}

function explain(error: NodeJS.ErrnoException, socket: string): Error {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
    return new Error(
      `no collector answers at ${socket}: start one (sockflux collector), or give its socket (--socket)`,
    )
  if (error.code === 'EACCES')
    return new Error(`${socket} belongs to another user: run this as the user of the collector`)
  return new Error(
    `the collector at ${socket} closed the connection (${error.code ?? error.message}): look into its log`,
  )
}

/**
 * Waits until the text is written.
 * @returns false if the reader has closed the pipe (`| head`), which is no error
 */
export async function print(out: Writable, text: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const failed = (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? resolve(false) : reject(error))
  out.once('error', failed) // it is emitted after the callback
  out.write(text, error => {
    if (error) return failed(error)
    out.off('error', failed)
    resolve(true)
  })
  return promise
}
