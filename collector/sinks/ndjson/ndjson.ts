import { constants, existsSync, fstatSync, renameSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { escaped } from '../../../wire/json_text.ts'
import type { Batch } from '../../batch.ts'
import type { Sink } from '../sink.ts'

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
/** A pipe that nobody reads is an error, too, and not waited for. */
const FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK
const NO_READER = 'ENXIO'

interface NdjsonOptions {
  /** `-`: standard output. */
  readonly path: string
  readonly maxBytes: number
  /** The present one included. */
  readonly maxFiles: number
}

/** Lines of JSON, a record each: its time, its texts, its numbers; what is not known is left out. */
export class NdjsonSink implements Sink {
  readonly name = 'ndjson'
  readonly counters = { lines: 0, rotations: 0 }
  readonly #options: NdjsonOptions
  #file: FileHandle | undefined
  /** Where it is, when the path is a link: the files before it are beside it. */
  #place = ''
  #bytes = 0

  private constructor(options: NdjsonOptions) {
    this.#options = options
  }

  /** @throws when the file cannot be opened */
  static async open(options: NdjsonOptions): Promise<NdjsonSink> {
    const sink = new NdjsonSink(options)
    if (options.path !== '-') await sink.#open()
    return sink
  }

  /** What a crash has cut off stays half a line: the next one begins on its own. */
  async write(batch: Batch): Promise<void> {
    const lines = linesOf(batch)
    const text = lines.join('')
    if (text === '') return
    if (this.#options.path === '-') await print(text)
    else await this.#append(Buffer.from(text))
    this.counters.lines += lines.length
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  async #append(text: Buffer): Promise<void> {
    if (this.#file && (this.#bytes >= this.#options.maxBytes || !this.#isThere())) await this.#rotate()
    const file = this.#file ?? (await this.#open())
    const start = this.#bytes
    try {
      await file.appendFile(text)
      await file.datasync()
    } catch (error) {
      await file.truncate(start).catch(() => {}) // the queue writes it again
      throw new Error(`cannot write ${this.#options.path}: ${(error as Error).message}`)
    }
    this.#bytes = start + text.length
  }

  /** Another program may rotate it, too. */
  #isThere(): boolean {
    const [file, named] = [fstatSync(this.#file!.fd), statSync(this.#options.path, { throwIfNoEntry: false })]
    return named?.ino === file.ino && named.dev === file.dev
  }

  async #rotate(): Promise<void> {
    const { maxFiles } = this.#options
    const path = this.#place
    const isFull = this.#isThere()
    await this.close()
    if (!isFull) return
    const name = (index: number) => (index === 0 ? path : `${path}.${index}`)
    rmSync(name(maxFiles - 1), { force: true })
    for (let index = maxFiles - 2; index >= 0; index--)
      if (existsSync(name(index))) renameSync(name(index), name(index + 1))
    this.counters.rotations++
  }

  async #open(): Promise<FileHandle> {
    const { path } = this.#options
    try {
      const file = await open(path, FLAGS, 0o640)
      this.#file = file
      const found = fstatSync(file.fd)
      if (!found.isFile()) throw Object.assign(new Error('it is no file'), { code: NO_READER })
      this.#place = await realpath(path)
      this.#bytes = found.size
      return file
    } catch (error) {
      await this.close()
      const { message, code = '' } = error as NodeJS.ErrnoException
      throw new Error(`cannot write ${path} (--flow-file): ${message}: ${remedyOf(code, path)}`)
    }
  }
}

const NO_FILE = 'give a file, or - for standard output'
const NOT_LET = (path: string) =>
  `let the collector's user write in ${dirname(path)} (its unit in /var/log/sockflux, or in ReadWritePaths=)`
const REMEDIES: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: path => `make the directory ${dirname(path)}, writable by the collector`,
  ENOTDIR: path => `${dirname(path)} is no directory: ${NO_FILE}`,
  EISDIR: () => NO_FILE,
  [NO_READER]: () => NO_FILE,
  EACCES: NOT_LET,
  EPERM: NOT_LET,
  EROFS: NOT_LET,
}
const remedyOf = (code: string, path: string): string => (REMEDIES[code] ?? (() => NO_FILE))(path)

/** @returns a line for each record, with its end */
export function linesOf({ time, samples }: Pick<Batch, 'time' | 'samples'>): string[] {
  return samples.flatMap(some =>
    Array.from(some.each(), ({ tags, values }) => {
      const numbers = some.measurement.fields.map((name, at) => [name, values[at]])
      const texts = Object.entries(tags).filter(([, text]) => text !== '')
      return `${escaped(JSON.stringify({ time, ...Object.fromEntries([...texts, ...numbers]) }))}\n`
    }),
  )
}

async function print(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  process.stdout.write(text, error => (error ? reject(error) : resolve()))
  await promise
}
