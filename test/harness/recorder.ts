/** A collector that only writes down what one probe sends, and acknowledges it. */

import { Router } from 'zeromq'
import { encodeAck } from '../../wire/ack.ts'
import { decode, WINDOW, type WindowHead, type WindowNames } from '../../wire/message.ts'
import { type Closable, closable } from './cleanup.ts'
import { FlowRows, type Row } from './flow_rows.ts'
import { freePort } from './sockflux.ts'
import { until } from './until.ts'

export interface RecordedWindow extends WindowHead {
  readonly names: WindowNames
}

export interface RecordedRow extends Row {
  /** Id of the container that the probe names for the row; undefined when it is in none. */
  readonly container: string | undefined
}

export class Recorder {
  readonly endpoint: string
  readonly rows: RecordedRow[] = []
  /** The windows that ended, by index. */
  readonly windows: RecordedWindow[] = []
  readonly #flows = new FlowRows()

  constructor(endpoint: string) {
    this.endpoint = endpoint
  }

  /** The window with this label, once it has ended. */
  ended(label: number): Promise<RecordedWindow> {
    return until(`the end of window ${label}`, () => this.windows.find(({ time }) => time === label), 20_000)
  }

  /** Rows of the flows of one container. */
  of(container: string): RecordedRow[] {
    return this.rows.filter(row => row.container === container)
  }

  async read(router: Router): Promise<void> {
    for await (const [route, ...frames] of router) {
      const message = decode(frames)
      if (!('parts' in message)) continue
      const { window } = message.head
      for (const row of message.parts.flatMap(({ layout, bytes }) => this.#flows.read(layout, bytes, window)))
        this.rows.push({ ...row, container: message.names.cgroups[`${row.hierarchy}:${row.cgroup}`] })
      if (message.topic === WINDOW) {
        this.windows[message.head.window] = { ...message.head, names: message.names }
        await router.send([route!, ...encodeAck(message.head)])
      }
    }
  }
}

export function startRecorder(): Promise<Recorder & Closable> {
  return closable(async cleanup => {
    const router = new Router({ linger: 0 })
    const recorder = new Recorder(`tcp://127.0.0.1:${await freePort()}`)
    await router.bind(recorder.endpoint)
    const reading = recorder.read(router)
    cleanup.defer(() => reading)
    cleanup.defer(() => router.close())
    return recorder
  })
}
