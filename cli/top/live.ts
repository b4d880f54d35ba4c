/** Shows what the collector knows until somebody quits: on a terminal in place, elsewhere a table for each window. */

import { setTimeout as sleep } from 'node:timers/promises'
import { print } from '../client.ts'
import { hasColour } from '../terminal/style.ts'
import { Terminal } from '../terminal/terminal.ts'
import { press } from './keys.ts'
import { plainText } from './plain.ts'
import { type Frame, frame } from './screen/frame.ts'
import { type Snapshot, Source } from './source.ts'
import type { State } from './state.ts'
import { flowQuery } from './views.ts'

const EVERY_MS = 1000

export interface Watched {
  /** The collector's unix socket. */
  readonly socket: string
  readonly state: State
  /** Aborted when the program must stop. */
  readonly stopped: AbortSignal
  /** Somebody wants to quit. */
  readonly quit: () => void
  readonly notes?: () => readonly string[]
  readonly next?: string | undefined
}

/** TERM=dumb cannot move its cursor. */
const canDraw = ({ stdout, env } = process): boolean => stdout.isTTY === true && env['TERM'] !== 'dumb'

/** @throws if no collector answers at first; one that is lost later is asked again until it is there */
export async function watch(watched: Watched): Promise<void> {
  const source = new Source(watched.socket)
  const first = await source.snapshot(flowQuery(watched.state))
  if (canDraw()) await new Live(source, watched, first).run()
  else await follow(source, watched, first)
}

async function follow(
  source: Source,
  { state, stopped, notes, next }: Watched,
  first: Snapshot,
): Promise<void> {
  let drawn = ''
  let isLost = false
  for (let snapshot: Snapshot | undefined = first; !stopped.aborted; ) {
    const key = JSON.stringify(snapshot?.hosts.map(({ host, time }) => [host, time]))
    if (snapshot && key !== drawn) {
      const below = [...(notes?.() ?? []), ...(next ? [`next, in another terminal: ${next}`] : [])]
      const text = [plainText(snapshot, state, Date.now() / 1000), ...below].join('\n')
      if (!(await print(process.stdout, `${text.trimEnd()}\n\n`))) return
      drawn = key
    }
    await sleep(EVERY_MS, undefined, { signal: stopped }).catch(() => {})
    try {
      snapshot = await source.snapshot(flowQuery(state))
      isLost = false
    } catch (error) {
      snapshot = undefined
      if (!isLost && !stopped.aborted)
        await print(process.stderr, `sockflux: ${(error as Error).message}; it is asked again every second\n`)
      isLost = true
    }
  }
}

class Live {
  readonly #source: Source
  readonly #watched: Watched
  readonly #terminal: Terminal
  #snapshot: Snapshot
  #frame: Frame | undefined
  #problem: string | undefined
  #lostMs = 0
  /** Ends the wait for the next question. */
  #wake = new AbortController()

  constructor(source: Source, watched: Watched, first: Snapshot) {
    this.#source = source
    this.#watched = watched
    this.#snapshot = first
    this.#terminal = new Terminal(
      hasColour(process.env),
      key => this.#press(key),
      () => this.#draw(),
    )
  }

  async run(): Promise<void> {
    const { stopped } = this.#watched
    stopped.addEventListener('abort', () => this.#wake.abort(), { once: true })
    try {
      while (!stopped.aborted) {
        this.#draw()
        await sleep(EVERY_MS, undefined, { signal: this.#wake.signal }).catch(() => {})
        if (stopped.aborted) break
        this.#wake = new AbortController()
        await this.#ask()
      }
    } finally {
      this.#terminal.close()
    }
  }

  async #ask(): Promise<void> {
    const { state } = this.#watched
    if (state.isPaused) return
    try {
      this.#snapshot = await this.#source.snapshot(flowQuery(state))
      this.#problem = undefined
    } catch (error) {
      if (this.#problem === undefined) this.#lostMs = performance.now()
      const seconds = Math.round((performance.now() - this.#lostMs) / 1000)
      this.#problem = `NO ANSWER for ${seconds} s, asking again (${(error as Error).message})`
    }
  }

  #draw(): void {
    const { state, notes, next } = this.#watched
    this.#frame = frame(this.#snapshot, state, {
      size: this.#terminal.size,
      now: Date.now() / 1000,
      problem: this.#problem,
      notes: notes?.() ?? [],
      next,
    })
    this.#terminal.draw(this.#frame.lines)
  }

  #press(key: { name: string; text: string }): void {
    const { state, quit } = this.#watched
    const now = this.#frame
    if (!now) return
    const before = JSON.stringify(flowQuery(state))
    press(key, { ...now, state, quit, redraw: () => this.#terminal.forget() })
    this.#draw()
    // other conversations are wanted: they are asked for at once
    if (JSON.stringify(flowQuery(state)) !== before) this.#wake.abort()
  }
}
