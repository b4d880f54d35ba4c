/** A probe without a kernel: its publisher, and windows whose numbers follow from host and time. */

import { pino } from 'pino'
import type { TrustOptions } from '../../probe/publish/link/trust.ts'
import { Publisher } from '../../probe/publish/publish.ts'
import { SendOffset } from '../../probe/publish/send_offset.ts'
import type { Rows } from '../../wire/layout.ts'
import type { Names } from '../../wire/message.ts'
import { type Closable, closable } from './cleanup.ts'
import { encodeRows, tcpFlowLayout } from './rows.ts'

const nobody: Names = { cgroups: {}, containers: {}, pods: {} }
const CLIENT = 1
/** That a flow sends in a window. */
export const BYTES = 10

/** `as_client` of `host:num_flows` in the window with this label. */
export const flowsAt = (time: number): number => 1 + (time % 17)

export class Source {
  readonly host: string
  /** Labels of the windows that were published. */
  readonly times: number[] = []
  readonly #publisher: Publisher
  readonly #layout = tcpFlowLayout()
  #window = 1
  #sequence = 0

  constructor(host: string, publisher: Publisher) {
    this.host = host
    this.#publisher = publisher
  }

  /** The window with this label, one second long. @param rows in place of those that follow from the time */
  publish(time: number, rows: Rows = this.#rowsAt(time)): void {
    const head = () => ({
      ...{ host: this.host, boot: 'boot', probe: `run of ${this.host}`, window: this.#window },
      ...{ sequence: this.#sequence++, start_ns: '1', lost: {} },
    })
    this.#publisher.add(rows, nobody, head)
    const end = { end_ns: '2', time, interval: 1, clock_offset_ns: '0', partial: false }
    this.#publisher.end({ ...head(), ...end }, { ...nobody, running: [] })
    this.#window++
    this.times.push(time)
  }

  #rowsAt(time: number): Rows {
    const flow = { role: CLIENT, segs_sent: 1, bytes_sent: BYTES }
    const flows = Array.from({ length: flowsAt(time) }, () => flow)
    return { layout: this.#layout, bytes: encodeRows(this.#layout, flows) }
  }

  get stats() {
    return this.#publisher.stats()
  }
}

export function startSource(
  host: string,
  collectors: readonly string[],
  trust?: TrustOptions,
): Promise<Source & Closable> {
  return closable(async cleanup => {
    const publisher = new Publisher(
      {
        collectors,
        sendTo: 'all',
        queueBytes: 2 ** 24,
        sendOffset: new SendOffset(host, 0, 1),
        ...(trust && { trust }),
      },
      { host, boot: 'boot', probe: `run of ${host}` },
      pino({ level: 'silent' }),
    )
    cleanup.defer(() => publisher.close(0))
    return new Source(host, publisher)
  })
}
