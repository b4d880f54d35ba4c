import { existsSync, fstatSync, renameSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Batch } from '../../batch.ts'
import type { Sink } from '../sink.ts'

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
    const { path, maxFiles } = this.#options
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
    this.#file = await open(path, 'a', 0o640).catch((error: Error) => {
      throw new Error(`cannot open ${path} (--flow-file): ${error.message}`)
    })
    this.#bytes = fstatSync(this.#file.fd).size
    return this.#file
  }
}

/** @returns a line for each record, with its end */
export function linesOf({ time, samples }: Pick<Batch, 'time' | 'samples'>): string[] {
  return samples.flatMap(some =>
    Array.from(some.each(), ({ tags, values }) => {
      const numbers = some.measurement.fields.map((name, at) => [name, values[at]])
      const texts = Object.entries(tags).filter(([, text]) => text !== '')
      return `${JSON.stringify({ time, ...Object.fromEntries([...texts, ...numbers]) })}\n`
    }),
  )
}

async function print(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  process.stdout.write(text, error => (error ? reject(error) : resolve()))
  await promise
}
