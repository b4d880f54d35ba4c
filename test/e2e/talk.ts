/** Containers that talk, whoever runs them. */

import { Ledger } from '../harness/ledger.ts'
import type { Child } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow } from '../harness/windows.ts'

export interface Talker {
  /** What its samples say of it; unique among those of one test. */
  readonly name: string
  readonly pod?: string
  readonly namespace?: string
  /** Of its container; undefined when it is a process of the host. */
  readonly id?: string
  /** Runs /bin/load there. */
  readonly load: (...words: string[]) => Child
}

export interface Line {
  readonly from: Talker
  readonly to: Talker
  readonly address: string
  /** Where `from` connects to; `to` listens on its own port. */
  readonly port: number
  /** Connections that are opened before the probe starts, those after, and those that are closed at once. */
  readonly older: number
  readonly later: number
  readonly brief: number
}

/** slirp4netns passes connections on when it comes to it. */
const PATIENCE_MS = 30_000

/** What it is called in the ledger. */
export const keyOf = ({ name, pod = '', namespace = '' }: Talker): string => `${namespace}/${pod}/${name}`

/** Opens and closes the connections of all lines, and keeps the ledger. */
export class Talk {
  readonly ledger = new Ledger()
  readonly #lines: readonly Line[]
  readonly #clients = new Map<Talker, Child>()
  readonly #servers = new Map<Talker, Child>()
  readonly #entries: Awaited<ReturnType<Ledger['opens']>>[] = []

  private constructor(lines: readonly Line[]) {
    this.#lines = lines
  }

  /** @param listening where each server listens, in its own network namespace */
  static async start(
    lines: readonly Line[],
    listening: ReadonlyMap<Talker, readonly string[]>,
  ): Promise<Talk> {
    const talk = new Talk(lines)
    for (const [talker, where] of listening) talk.#servers.set(talker, talker.load('server', ...where))
    await Promise.all([...talk.#servers.values()].map(server => server.line(/listening/)))
    for (const { from } of lines) if (!talk.#clients.has(from)) talk.#clients.set(from, from.load('client'))
    await talk.#open('older')
    return talk
  }

  /** What is said while the probe counts, a window or two for each act. @returns the last window that tells of it */
  async goOn(): Promise<number> {
    await earlyInWindow()
    await this.#open('later')
    await earlyInWindow()
    await this.#pass()
    await earlyInWindow()
    await this.#close()
    return (await earlyInWindow()) + 1
  }

  async #open(when: 'older' | 'later'): Promise<void> {
    const held = (line: Line) => (when === 'older' ? line.older : line.older + line.later)
    const all = this.#say(({ address, port, ...line }) => `open ${line[when]} ${address} ${port}`)
    const settled = all.then(() => this.#settled(held))
    const entries = this.#lines.map(line =>
      this.ledger.opens(keyOf(line.from), keyOf(line.to), line[when], () => settled),
    )
    this.#entries.push(...(await Promise.all(entries)))
  }

  async #pass(): Promise<void> {
    const all = this.#say(({ address, port, brief }) => `churn ${brief} ${address} ${port}`)
    const settled = all.then(() => this.#settled(({ older, later }) => older + later))
    await Promise.all(
      this.#lines.map(({ from, to, brief }) =>
        this.ledger.passes(keyOf(from), keyOf(to), brief, () => settled),
      ),
    )
  }

  async #close(): Promise<void> {
    const all = Promise.all([...this.#clients.values()].map(client => client.ask('close')))
    const settled = all.then(() => this.#settled(() => 0))
    await Promise.all(this.#entries.map(entry => this.ledger.closes(entry, () => settled)))
  }

  /** Each client says its commands one after the other, all clients at the same time. */
  async #say(command: (line: Line) => string): Promise<void> {
    const clients = [...this.#clients].map(async ([talker, client]) => {
      for (const line of this.#lines.filter(({ from }) => from === talker)) {
        const answer = await client.ask(command(line))
        if ('failed' in answer)
          throw new Error(`${keyOf(talker)} ${command(line)}: ${JSON.stringify(answer)}`)
      }
    })
    await Promise.all(clients)
  }

  /** The servers have so many connections: what lies between them and their clients has passed all on. */
  async #settled(held: (line: Line) => number): Promise<void> {
    for (const [talker, server] of this.#servers) {
      const open = this.#lines.filter(({ to }) => to === talker).reduce((sum, line) => sum + held(line), 0)
      const has = async () => (await server.ask<{ open: number }>('stats')).open === open
      await until(`${open} connections of ${keyOf(talker)}`, has, PATIENCE_MS)
    }
  }
}
