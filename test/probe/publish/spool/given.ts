import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Test } from 'tap'
import { Router } from 'zeromq'
import { Publisher } from '../../../../probe/publish/publish.ts'
import { SendOffset } from '../../../../probe/publish/send_offset.ts'
import type { LedgerText } from '../../../../probe/publish/spool/ledger_file.ts'
import { encodeAck } from '../../../../wire/ack.ts'
import { decode, WINDOW, type WindowNames } from '../../../../wire/message.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { encodeRows, tcpFlowLayout } from '../../../harness/rows.ts'
import { scratch } from '../../../harness/scratch.ts'

const everybody: WindowNames = { cgroups: {}, containers: {}, pods: {}, running: [] }
const layout = tcpFlowLayout()

export async function directory(t: Test): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  return scratch(cleanup, 'spool')
}

export interface Line {
  readonly msg: string
  readonly reason?: string
}

/** One run of a probe. */
export class Run {
  readonly publisher: Publisher
  readonly lines: Line[]
  readonly probe: string
  #window = 0
  #sequence = 0

  private constructor(publisher: Publisher, probe: string, lines: Line[]) {
    this.publisher = publisher
    this.probe = probe
    this.lines = lines
  }

  static async start(
    path: string,
    probe: string,
    collectors: readonly string[],
    options: { queueBytes?: number; bytes?: number; host?: string; sendTo?: 'all' | 'one' } = {},
  ): Promise<Run> {
    const { queueBytes = 2 ** 20, bytes = 2 ** 26, host = 'h', sendTo = 'all' } = options
    const lines: Line[] = []
    const publisher = await Publisher.open(
      {
        ...{ collectors, sendTo, queueBytes, sendOffset: new SendOffset(host, 0, 1) },
        spool: { directory: path, bytes, ageMs: 3_600_000 },
      },
      { host, boot: 'b', probe },
      pino({}, { write: line => lines.push(JSON.parse(line) as Line) }),
    )
    return new Run(publisher, probe, lines)
  }

  /** Windows with so many rows each. */
  windows(count: number, rows = 5): void {
    for (let end = this.#window + count; this.#window < end; this.#window++) {
      const head = () => ({
        ...{ host: 'h', boot: 'b', probe: this.probe, window: this.#window },
        ...{ sequence: this.#sequence++, start_ns: '1', lost: {} },
      })
      const flows = Array.from({ length: rows }, () => ({}))
      this.publisher.add({ layout, bytes: encodeRows(layout, flows) }, everybody, head)
      const end = { end_ns: '2', time: 1000, interval: 1, clock_offset_ns: '0', partial: false }
      this.publisher.end({ ...head(), ...end }, everybody)
    }
  }

  get accounts() {
    return this.publisher.stats().accounts
  }

  get waiting(): number {
    return this.accounts.waiting.windows
  }

  said(reason: string): string[] {
    return this.lines.filter(line => line.reason === reason).map(({ msg }) => msg)
  }
}

/** A collector that writes down which windows end, by run, and answers. */
export class Receiver {
  readonly endpoint: string
  /** `probe window`, in the order in which they came. */
  readonly ended: string[] = []
  answers = true
  rows = 0
  readonly #router = new Router({ linger: 0 })
  #reading: Promise<void> | undefined

  constructor(path: string) {
    this.endpoint = `ipc://${join(path, 'collector')}`
  }

  async open(t: Test): Promise<void> {
    await this.#router.bind(this.endpoint)
    this.#reading = this.#read()
    t.teardown(async () => {
      this.#router.close()
      await this.#reading
    })
  }

  async #read(): Promise<void> {
    for await (const [route, ...frames] of this.#router) {
      const message = decode(frames)
      if (!('parts' in message)) continue
      this.rows += message.parts.reduce((sum, { layout, bytes }) => sum + bytes.length / layout.size, 0)
      if (message.topic !== WINDOW) continue
      this.ended.push(`${message.head.probe} ${message.head.window}`)
      if (this.answers) await this.#router.send([route!, ...encodeAck(message.head)])
    }
  }
}

export const ledgerIn = (path: string): LedgerText =>
  JSON.parse(readFileSync(globSync(join(path, '*/ledger.json'))[0]!, 'utf8')) as LedgerText

export const named = (probe: string, count: number, first = 0): string[] =>
  Array.from({ length: count }, (_, index) => `${probe} ${first + index}`)
