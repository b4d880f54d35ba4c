/** Hosts without a kernel, that publish into the stream of NATS servers; collectors that come and go; and what is in InfluxDB. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { TrustOptions } from '../../probe/publish/link/trust.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { type Influx, startInflux } from '../harness/influx.ts'
import { natsClient, setUp, WANTED } from '../harness/nats.ts'
import type { Child } from '../harness/process.ts'
import { BYTES, flowsAt, type Source, startSource } from '../harness/publisher.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

export interface Line {
  readonly host: string
  readonly time: number
  readonly flows: number
  readonly bytes: number
}

/** Who is who for servers that let in whom they know. */
export interface Keys {
  readonly trust: (host: string) => TrustOptions
  /** Flags of the collectors. */
  readonly collector: readonly string[]
}

export const hostsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `web${index}.example`)

interface Stream {
  readonly partitions: number
  readonly collectors: number
  readonly taken: number
  readonly messages: number
  readonly repeated: number
  readonly waiting: number
}

export class NatsStage {
  readonly influx: Influx
  readonly sources: Source[]
  readonly #servers: string
  readonly #flags: readonly string[]
  readonly #cleanup: Cleanup
  readonly #collectors = new Map<string, { readonly site: Site; child: Child | undefined }>()

  private constructor(
    influx: Influx,
    sources: Source[],
    servers: string,
    flags: readonly string[],
    cleanup: Cleanup,
  ) {
    this.#flags = flags
    this.influx = influx
    this.sources = sources
    this.#servers = servers
    this.#cleanup = cleanup
  }

  /** @param servers the endpoint of the servers, which are not set up yet unless there are keys */
  static async open(
    t: Test,
    servers: string,
    hosts: number,
    { replicas = 1, keys }: { readonly replicas?: number; readonly keys?: Keys } = {},
  ): Promise<NatsStage> {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const influx = await startInflux()
    cleanup.defer(() => influx.remove())
    if (!keys) {
      const client = await natsClient(cleanup, servers.slice('nats://'.length).split('+'))
      const isSetUp = () =>
        setUp(client, { replicas }).then(
          () => true,
          () => false,
        )
      await until('the set-up', isSetUp, 30_000) // a cluster takes a moment to have a leader
    }
    const names = hostsOf(hosts)
    const sources = await Promise.all(names.map(name => startSource(name, [servers], keys?.trust(name))))
    cleanup.defer(() => Promise.all(sources.map(source => source.close())))
    return new NatsStage(influx, sources, servers, keys?.collector ?? [], cleanup)
  }

  /** One without a spool: what its database has no room for waits in the stream. */
  async startCollector(name: string, ...more: string[]): Promise<void> {
    let one = this.#collectors.get(name)
    if (!one) {
      const site = await openSite()
      this.#cleanup.defer(() => site.close())
      one = { site, child: undefined }
      this.#collectors.set(name, one)
    }
    const sink = ['--sink', 'influxdb', '--influx-url', this.influx.url, '--spool', 'off']
    one.child = await one.site.collector(['--listen', this.#servers, ...this.#flags, ...sink, ...more])
  }

  async endCollector(name: string, signal: NodeJS.Signals): Promise<void> {
    await this.#collectors.get(name)?.child?.kill(signal)
  }

  /** What each of these says of the stream. */
  async streams(...names: string[]): Promise<Stream[]> {
    const stats = await Promise.all(names.map(name => this.#collectors.get(name)!.site.stats()))
    return stats.map(one => (one as unknown as { streams: [Stream] }).streams[0])
  }

  /** Waits until these have all partitions among them, and nothing moves. */
  async shared(...names: string[]): Promise<void> {
    let before = ''
    await until(
      'the partitions are shared',
      async () => {
        const now = await this.streams(...names)
        const held = now.reduce((sum, { partitions }) => sum + partitions, 0)
        const same = JSON.stringify(now.map(({ partitions, taken }) => [partitions, taken]))
        const isSame = same === before
        before = same
        await sleep(500)
        return (
          isSame && held === WANTED.partitions && now.every(({ collectors }) => collectors === names.length)
        )
      },
      30_000,
    )
  }

  logOf(name: string): string {
    return this.#collectors.get(name)?.child?.stderr ?? ''
  }

  /** Every host ends a window each second. */
  async publish(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      const time = Math.floor(Date.now() / 1000)
      for (const source of this.sources) if (source.times.at(-1) !== time) source.publish(time)
      await sleep(1000)
    }
  }

  /** What has to be there, by host and time. */
  get expected(): Line[] {
    return this.sources.flatMap(({ host, times }) => {
      let bytes = 0
      return times.map(time => {
        bytes += BYTES * flowsAt(time)
        return { host, time, flows: flowsAt(time), bytes }
      })
    })
  }

  async lines(): Promise<Line[]> {
    const from = async (measurement: string, field: string) => {
      const rows = await this.influx.query(`select ${field} from "${measurement}" group by host`, 'sockflux')
      return new Map(rows.map(row => [`${row['host']} ${row['time']}`, Number(row[field])]))
    }
    const [flows, bytes] = [
      await from('host:num_flows', 'as_client'),
      await from('host:traffic', 'bytes_sent'),
    ]
    return [...flows].map(([key, value]) => {
      const [host = '', time] = key.split(' ')
      return { host, time: Number(time), flows: value, bytes: bytes.get(key) ?? -1 }
    })
  }

  /** Waits until everything that was published is stored. @throws with what is missing, and what the collectors said */
  async stored(timeoutMs = 20_000): Promise<void> {
    const { length } = this.expected
    const isThere = async () => (await this.lines().catch(() => [])).length >= length
    await until(`${length} lines`, isThere, timeoutMs).catch(async (error: Error) => {
      const there = new Set((await this.lines()).map(({ host, time }) => `${host} ${time}`))
      const missing = this.expected.filter(({ host, time }) => !there.has(`${host} ${time}`))
      const logs = [...this.#collectors.keys()].map(name => `${name}: ${this.logOf(name)}`)
      throw new Error([error.message, JSON.stringify(missing.slice(0, 20)), ...logs].join('\n'))
    })
  }
}

export const sorted = (lines: readonly Line[]): string[] =>
  lines.map(({ host, time, flows, bytes }) => `${host} ${time} ${flows} ${bytes}`).sort()
