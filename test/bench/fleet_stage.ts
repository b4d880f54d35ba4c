/** A NATS server, collectors that share its partitions, and hosts that exist only as windows. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import { ask } from '../../cli/client.ts'
import { Publishing } from '../../probe/publish/link/nats/publishing.ts'
import { encodeWindow } from '../../wire/message.ts'
import { tokenOf } from '../../wire/nats/names.ts'
import { pack } from '../../wire/nats/window.ts'
import type { Cleanup } from '../harness/cleanup.ts'
import { natsClient, setUp, startNats } from '../harness/nats.ts'
import { type Child, start } from '../harness/process.ts'
import { scratch } from '../harness/scratch.ts'
import { logged } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { nullDatabase } from './databases.ts'
import { sockflux } from './probe.ts'
import { endOf, foldedRows, headOf, INTERVAL, inMessages, whoOf } from './simulated.ts'

export const [ROWS, CONTAINERS] = [200, 10]
const PARTITIONS = 64
const ROOM = 4 * 2 ** 30
/** Publishers at once: each waits for its answer. */
const AT_ONCE = 64
const PATIENCE_MS = 300_000

interface Stream {
  readonly partitions: number
  readonly messages: number
  readonly waiting: number
}

export class FleetStage {
  readonly server: { readonly url: string; readonly pid: number }
  readonly collectors: readonly Child[]
  readonly #client: NatsConnection
  readonly #sockets: readonly string[]

  private constructor(
    server: FleetStage['server'],
    client: NatsConnection,
    collectors: readonly Child[],
    sockets: readonly string[],
  ) {
    this.server = server
    this.collectors = collectors
    this.#client = client
    this.#sockets = sockets
  }

  /** Each partition has its collector. */
  static async open(cleanup: Cleanup, collectors: number): Promise<FleetStage> {
    const server = await startNats(cleanup, { partitions: PARTITIONS, room: '5G' })
    const client = await natsClient(cleanup, server.url)
    await setUp(client, { partitions: PARTITIONS, lease: 10, maxBytes: ROOM })
    const database = await nullDatabase()
    cleanup.defer(() => database.close())
    const directory = await scratch(cleanup, 'bench')
    const sockets = Array.from({ length: collectors }, (_, at) => join(directory, `${at}.sock`))
    const started = sockets.map(socket => {
      const where = ['--listen', server.url, '--socket', socket, '--spool', 'off']
      const sink = ['--influx-url', database.url, '--no-influx-gzip']
      const room = ['--max-series', '10000000', '--waiting-samples', '2000000']
      const child = start([...sockflux([]), 'collector', ...where, ...sink, ...room])
      cleanup.defer(() => child.close())
      return child
    })
    await Promise.all(started.map(child => logged(child, /"msg":"started"/)))
    const stage = new FleetStage(server, client, started, sockets)
    await until('each partition has its collector', () => stage.#isShared(), PATIENCE_MS)
    await sleep(5000) // those that move are moved
    return stage
  }

  async #isShared(): Promise<boolean> {
    const held = (await this.#streams()).map(({ partitions }) => partitions)
    return held.reduce((sum, one) => sum + one, 0) === PARTITIONS && !held.includes(0)
  }

  async #streams(): Promise<Stream[]> {
    const stats = await Promise.all(this.#sockets.map(socket => ask(socket, 'GET', '/stats')))
    return stats.map(({ body }) => (JSON.parse(body) as { streams: Stream[] }).streams[0]!)
  }

  /** Windows that were read of the stream. */
  async read(): Promise<number> {
    return (await this.#streams()).reduce((sum, { messages }) => sum + messages, 0)
  }

  /** Waits until so many windows are stored. */
  async stored(windows: number): Promise<void> {
    const isStored = async () => {
      const now = await this.#streams()
      const read = now.reduce((sum, { messages }) => sum + messages, 0)
      return read >= windows && now.every(({ waiting }) => waiting === 0)
    }
    await until(`${windows} windows are stored`, isStored, PATIENCE_MS)
  }

  /** As fast as the server takes them. @returns bytes of all windows */
  async publish(hosts: number, windows: number): Promise<number> {
    const [bundle] = inMessages(foldedRows(ROWS, CONTAINERS))
    const first = Math.floor(Date.now() / 1000 / INTERVAL) * INTERVAL - windows * INTERVAL
    let bytes = 0
    for (let window = 1; window <= windows; window++) {
      const waiting = Array.from({ length: hosts }, (_, host) => host)
      const time = first + window * INTERVAL
      const one = async () => {
        for (let host = waiting.pop(); host !== undefined; host = waiting.pop()) {
          const head = { ...headOf(window, host), ...endOf(time), sequence: window }
          const message = pack(encodeWindow(head, bundle!, whoOf(CONTAINERS, host)))
          bytes += message.length
          const { host: name, boot, probe } = head
          const publishing = new Publishing(this.#client, this.server.url, tokenOf(name))
          await publishing.publish({
            key: { host: name, boot, probe, window },
            time,
            interval: INTERVAL,
            messages: [message],
          })
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, one))
    }
    return bytes
  }
}
