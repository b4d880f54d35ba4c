/**
 * The terminal while a program draws on all of it: another screen, no cursor, keys one by one. Whichever way the program
 * ends or stops, the terminal is as it was before.
 */

import { writeSync } from 'node:fs'
import { emitKeypressEvents, type Interface, type Key } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import { beforeEnd } from '../../wire/process/signals.ts'
import { Painter, type Size } from './painter.ts'
import type { Line } from './style.ts'

/** The alternate screen, no cursor, no wrap at the right edge. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const LEAVE = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l'
/** A terminal that says nothing of its size, as a serial line. */
const DEFAULT: Size = { rows: 24, columns: 80 }
/** After a stop that had no effect: nobody would continue a session's leader. */
const RESUME_MS = 200

const STDOUT = 1
const ESCAPE = { name: 'escape', text: '' }
/** Milliseconds after which an escape character is the key Escape, not the start of another key. */
const ESCAPES = { escapeCodeTimeout: 50 } as unknown as Interface

interface Streams {
  readonly stdin: ReadStream
  readonly stdout: WriteStream
}

export interface Pressed {
  /** As `node:readline` names it, with `C-` for Ctrl; of a character the character. */
  readonly name: string
  /** The character that was typed; '' for a key without one. */
  readonly text: string
}

export class Terminal {
  readonly #streams: Streams
  readonly #painter: Painter
  readonly #changed: () => void
  readonly #undo: (() => void)[] = []
  #isOurs = false

  /**
   * @param pressed keys; Ctrl-Z is not among them
   * @param changed what is shown must be drawn again
   */
  constructor(
    hasColour: boolean,
    pressed: (key: Pressed) => void,
    changed: () => void,
    streams: Streams = process,
  ) {
    this.#streams = streams
    this.#painter = new Painter(hasColour)
    this.#changed = changed
    this.#enter()
    this.#listen(pressed)
  }

  get size(): Size {
    const { rows, columns } = this.#streams.stdout
    return { rows: rows || DEFAULT.rows, columns: columns || DEFAULT.columns }
  }

  /** Left out while the terminal has not yet taken the frame before. */
  draw(frame: readonly Line[]): void {
    const { stdout } = this.#streams
    if (!this.#isOurs) return
    if (stdout.writableNeedDrain) return void stdout.once('drain', this.#changed)
    const text = this.#painter.paint(frame, this.size)
    if (text !== '') stdout.write(text)
  }

  /** What is shown is drawn from nothing. */
  forget(): void {
    this.#painter.forget()
  }

  close(): void {
    for (const undo of this.#undo.splice(0)) undo()
    this.#leave()
    this.#streams.stdin.pause()
  }

  #enter(): void {
    const { stdin, stdout } = this.#streams
    this.#isOurs = true
    this.#painter.forget()
    // raw mode is set anew: while we were stopped, the shell has set its own
    if (stdin.isTTY) stdin.setRawMode(false).setRawMode(true)
    stdout.write(ENTER)
  }

  /** At once, also when the process ends without another turn of its loop. */
  #leave(): void {
    if (!this.#isOurs) return
    this.#isOurs = false
    const { stdin } = this.#streams
    try {
      if (stdin.isTTY) stdin.setRawMode(false)
      writeSync(STDOUT, LEAVE)
    } catch {
      // the terminal is gone
    }
  }

  #listen(pressed: (key: Pressed) => void): void {
    const { stdin, stdout } = this.#streams
    const on = <E extends string>(
      emitter: { on(event: E, work: never): unknown; off(event: E, work: never): unknown },
      event: E,
      work: (...values: never[]) => void,
    ) => {
      emitter.on(event, work as never)
      this.#undo.push(() => void emitter.off(event, work as never))
    }
    emitKeypressEvents(stdin, ESCAPES)
    on(stdin, 'keypress', (text: string | undefined, key: Key) => {
      for (const found of keysOf(text, key))
        if (found.name === 'C-z') this.#stop()
        else pressed(found)
    })
    if (stdin.isTTY) stdin.resume()
    on(stdin, 'error', () => {}) // a terminal that is gone: the hang-up ends us
    on(stdout, 'error', () => {})
    on(stdout, 'resize', () => {
      this.#painter.forget()
      this.#changed()
    })
    on(process, 'SIGTSTP', () => this.#stop())
    on(process, 'SIGCONT', () => this.#resume())
    on(process, 'exit', () => this.#leave())
    this.#undo.push(beforeEnd(() => this.#leave()))
  }

  /** As a shell expects it: the whole job stops, and `fg` continues it. */
  #stop(): void {
    this.#leave()
    const listeners = process.rawListeners('SIGTSTP') as (() => void)[]
    process.removeAllListeners('SIGTSTP')
    process.kill(0, 'SIGTSTP')
    setTimeout(() => {
      for (const listener of listeners) process.on('SIGTSTP', listener)
      this.#resume()
    }, RESUME_MS)
  }

  #resume(): void {
    if (this.#undo.length === 0) return // it was closed meanwhile
    this.#enter()
    this.#changed()
  }
}

/** Escape and keys that are typed at once after it come as one key with Meta. */
function keysOf(text: string | undefined, { name = '', sequence = '', ctrl, meta }: Key): Pressed[] {
  if (meta) {
    const rest = sequence.split('\x1b').at(-1)!
    const escapes = Array<Pressed>(sequence.length - rest.length).fill(ESCAPE)
    return rest.length === 1 ? [...escapes, ...keysOf(rest, { name, ctrl: ctrl ?? false })] : escapes
  }
  if (ctrl) return [{ name: `C-${name}`, text: '' }]
  const isCharacter = text !== undefined && /^\P{C}$/u.test(text)
  return [isCharacter ? { name: text, text } : { name, text: '' }]
}
