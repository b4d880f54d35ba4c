/** The link from one host, encrypted and in plain text: the same windows by each way in turns, into one collector. */

import { join } from 'node:path'
import { type Dialled, dial } from '../../probe/publish/link/dial.ts'
import { introduce } from '../../probe/publish/link/introduce.ts'
import { decodeAck } from '../../wire/ack.ts'
import { encodeMessage, encodeWindow } from '../../wire/message.ts'
import { linkOf } from '../../wire/settings/endpoint.ts'
import { bundleOf } from '../harness/bundle.ts'
import { type Keys, makeKeys } from '../harness/link.ts'
import { freePort, openSite } from '../harness/sockflux.ts'
import { cpuOf, median, ownSeconds, since } from './cpu.ts'
import { endOf, headOf, INTERVAL, ROWS, tcpRows, whoOf } from './simulated.ts'

const CONTAINERS = 20
const MESSAGES = 25
const ROUNDS = 15

/** A host that sends its windows by one endpoint. */
class Way {
  readonly name: string
  readonly rates: number[] = []
  readonly ownCpu: number[] = []
  readonly collectorCpu: number[] = []
  readonly #dialled: Dialled
  readonly #token: readonly Buffer[]
  readonly #first = Math.floor(Date.now() / 1000 / INTERVAL) * INTERVAL
  #sequence = 0
  #window = 0

  private constructor(name: string, dialled: Dialled, token: readonly Buffer[]) {
    this.name = name
    this.#dialled = dialled
    this.#token = token
  }

  static async open(name: string, text: string, keys: Keys): Promise<Way> {
    const { endpoint: address, security } = linkOf(text)
    if (security === 'server') throw new Error(`${text} is no endpoint of ZeroMQ`)
    const curve = security === 'curve' ? keys.curve(name) : undefined
    const dialled = dial({ address, security, ...(curve && { curve }) })
    const why = await dialled.ready
    if (why !== undefined) throw new Error(`${text}: ${why}`)
    const introduced = curve && (await introduce(dialled, name, curve))
    if (introduced && 'why' in introduced) throw new Error(introduced.why)
    return new Way(name, dialled, introduced ? [introduced.token] : [])
  }

  /** One window, until it is acknowledged. */
  async window(pid: number): Promise<void> {
    const [rows, { running, ...names }] = [bundleOf(...tcpRows(ROWS, CONTAINERS)), whoOf(CONTAINERS)]
    const [began, own, collector] = [performance.now(), ownSeconds(), cpuOf(pid)]
    const head = { ...headOf(this.#window), host: this.name, probe: this.name }
    const send = (frames: Buffer[]) => this.#dialled.socket.send([...this.#token, ...frames])
    for (let message = 0; message < MESSAGES; message++)
      await send(encodeMessage({ ...head, sequence: this.#sequence++ }, rows, names))
    const end = { ...head, ...endOf(this.#first + this.#window * INTERVAL), sequence: this.#sequence++ }
    await send(encodeWindow(end, bundleOf(), { ...names, running }))
    if (decodeAck(await this.#dialled.socket.receive()).window !== this.#window++)
      throw new Error(`${this.name}: another window is acknowledged`)
    const { user, kernel } = since(collector, cpuOf(pid))
    this.rates.push((ROWS * MESSAGES) / ((performance.now() - began) / 1000))
    this.ownCpu.push(ownSeconds() - own)
    this.collectorCpu.push(user + kernel)
  }

  close(): void {
    this.#dialled.close()
  }
}

const per = (seconds: readonly number[]): string =>
  `${((seconds.reduce((sum, one) => sum + one, 0) / seconds.length / (ROWS * MESSAGES)) * 1e9).toFixed(0)} ns`

export async function benchKeys(): Promise<string[][]> {
  const site = await openSite()
  try {
    const keys = await makeKeys(site.directory, 'encrypted')
    const [plain, curve] = [await freePort(), await freePort()].map(port => `tcp://127.0.0.1:${port}`)
    const endpoints = {
      'unix socket': `ipc://${join(site.directory, 'link.sock')}`,
      'plain text': `${plain},plain`,
      encrypted: `${curve},curve`,
    }
    const listen = Object.values(endpoints).flatMap(endpoint => ['--listen', endpoint])
    const { pid } = await site.collector([...listen, '--keys', keys.directory, '--metrics', 'flows'])
    const ways = await Promise.all(
      Object.entries(endpoints).map(([name, endpoint]) => Way.open(name, endpoint, keys)),
    )
    for (const way of ways) await way.window(pid)
    for (const way of ways) way.rates.length = way.ownCpu.length = way.collectorCpu.length = 0
    for (let round = 0; round < ROUNDS; round++) for (const way of ways) await way.window(pid)
    for (const way of ways) way.close()
    return ways.map(({ name, rates, ownCpu, collectorCpu }) => [
      `windows of ${(ROWS * MESSAGES).toLocaleString('en')} rows, ${name}, on loopback`,
      `${(median(rates) / 1e6).toFixed(2)} million rows a second, CPU of the sender ${per(ownCpu)} a row, of the collector ${per(collectorCpu)} a row`,
    ])
  } finally {
    await site.close()
  }
}
