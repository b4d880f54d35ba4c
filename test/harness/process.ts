import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Closable } from './cleanup.ts'

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface StartOptions {
  env?: Record<string, string>
  cwd?: string
}

const LINE_TIMEOUT_MS = 15_000
const STDERR_SHOWN_CHARS = 4000

/** A child process that is spoken to line by line: commands on its stdin, answers on its stdout. */
export class Child implements Closable {
  readonly command: readonly string[]
  readonly exited: Promise<Exit>
  /** Everything the child wrote to stderr so far. */
  stderr = ''
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: string[] = []
  #ended = false
  #wake: () => void = () => {}

  constructor(command: readonly string[], options: StartOptions = {}) {
    this.command = command
    const [file = '', ...args] = command
    this.#process = spawn(file, args, { ...options, env: { ...process.env, ...options.env } })
    this.#process.stderr.setEncoding('utf8').on('data', text => {
      this.stderr += text
    })
    // A child that is gone refuses its stdin with EPIPE; `line()` tells what happened to it.
    this.#process.stdin.on('error', () => {})
    createInterface(this.#process.stdout).on('line', line => {
      this.#lines.push(line)
      this.#wake()
    })
    this.exited = new Promise(resolve => {
      this.#process.on('error', failure => {
        this.stderr += failure.message
      })
      this.#process.once('close', (code, signal) => {
        this.#ended = true
        this.#wake()
        resolve({ code, signal })
      })
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  write(line: string): void {
    this.#process.stdin.write(`${line}\n`)
  }

  /** Its stdin ends. */
  end(): void {
    this.#process.stdin.end()
  }

  /** The next line on stdout that matches; lines before it are passed over. */
  async line(pattern: RegExp = /^/, timeoutMs = LINE_TIMEOUT_MS): Promise<string> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        if (pattern.test(line)) return line
      }
      if (this.#ended) throw this.#failure(`ended without a line like ${pattern}`)
      const left = deadline - Date.now()
      if (left <= 0) throw this.#failure(`printed no line like ${pattern} in ${timeoutMs} ms`)
      await this.#nextChange(left)
    }
  }

  /** Writes one command and returns the JSON line that answers it. */
  async ask<T = Record<string, unknown>>(command: string, timeoutMs?: number): Promise<T> {
    this.write(command)
    return JSON.parse(await this.line(/^\{/, timeoutMs)) as T
  }

  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    if (!this.#ended) this.#process.kill(signal)
    return this.exited
  }

  /** SIGTERM, and SIGKILL two seconds later if that was not enough. */
  async close(): Promise<void> {
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), 2000)
    await this.kill()
    clearTimeout(impatience)
  }

  #nextChange(timeoutMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #failure(what: string): Error {
    return new Error(`${this.command.join(' ')} ${what}\n${this.stderr.slice(-STDERR_SHOWN_CHARS)}`)
  }
}

export function start(command: readonly string[], options?: StartOptions): Child {
  return new Child(command, options)
}

/** Runs a command to its end and returns its stdout; throws with its stderr unless it exits with 0. */
export async function run(command: readonly string[], timeoutMs = 30_000): Promise<string> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${signal ?? code}: ${stderr.trim()}`)
  return stdout
}

/** Signals a process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ESRCH') throw failure
  }
}
