/** The programs that `sockflux run` starts, and what they say. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { NODE_FLAGS } from '../wire/process/signals.ts'
import { Guardian } from './guardian.ts'
import { printable } from './printable.ts'

const STOP_MS = 10_000

/** A line of a child's log for people: its message without the other fields. */
function sentence(line: string): string {
  try {
    const { name, msg, level } = JSON.parse(line) as { name: string; msg: string; level: number }
    return level >= 40 ? printable(`${name}: ${msg}`) : ''
  } catch {
    return printable(line)
  }
}

export class Children {
  /** The last warnings and errors of both. */
  readonly notes: string[] = []
  readonly #running = new Map<string, { child: ChildProcess; ended: Promise<void> }>()
  readonly #ended: (name: string) => void
  readonly #guardian = new Guardian()

  constructor(ended: (name: string) => void) {
    this.#ended = ended
  }

  /** @param defaults variables that the environment may overrule */
  start(name: string, flags: readonly string[], defaults: Readonly<Record<string, string>> = {}): void {
    const node = [...new Set([...process.execArgv, ...NODE_FLAGS])]
    const child = spawn(process.execPath, [...node, process.argv[1]!, name, ...flags], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'], // the channel closes when we end
      env: { ...defaults, ...process.env },
      detached: true, // Ctrl-C reaches us alone; we stop the probe before the collector
    })
    if (child.pid !== undefined) this.#guardian.watch(child.pid)
    let rest = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      const found = lines.map(sentence).filter(note => note !== '' && !this.notes.includes(note))
      this.notes.push(...found) // a message of both is shown once
      this.notes.splice(0, this.notes.length - 5)
    })
    // 'close' is never emitted after we close the channel
    const exited = new Promise<void>(resolve => {
      child
        .once('exit', () => resolve())
        .once('error', ({ message }) => resolve(void this.notes.push(message)))
    })
    const ended = Promise.all([exited, once(child.stderr!, 'close')]).then(() => {
      const { signalCode, exitCode } = child
      // its own last line says more than an exit code
      if (signalCode !== null) this.notes.push(`${name}: ended by ${signalCode}`)
      else if (exitCode !== 0 && this.notes.length === 0) this.notes.push(`${name}: ended with ${exitCode}`)
      this.#running.delete(name)
      this.#ended(name)
    })
    this.#running.set(name, { child, ended })
  }

  async stop(name: string): Promise<void> {
    const running = this.#running.get(name)
    if (!running) return
    const { child, ended } = running
    // no signal: the sender may have signalled the whole group already, and a second one would end it at once
    if (child.connected) child.disconnect()
    else child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(late)
  }

  close(): void {
    this.#guardian.close()
  }
}
