/** Hosts without a kernel, that publish into the stream of NATS servers; collectors that come and go; and what is in InfluxDB. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { type Influx, startInflux } from '../harness/influx.ts'
import { natsClient, setUp } from '../harness/nats.ts'
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

export class NatsStage {
  readonly influx: Influx
  readonly sources: Source[]
  readonly #servers: string
  readonly #cleanup: Cleanup
  readonly #collectors = new Map<string, { readonly site: Site; child: Child | undefined }>()

  private constructor(influx: Influx, sources: Source[], servers: string, cleanup: Cleanup) {
    this.influx = influx
    this.sources = sources
    this.#servers = servers
    this.#cleanup = cleanup
  }

  /** @param servers the endpoint of the servers, which are not set up yet */
  static async open(t: Test, servers: string, hosts: number, replicas = 1): Promise<NatsStage> {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const influx = await startInflux()
    cleanup.defer(() => influx.remove())
    const client = await natsClient(cleanup, servers.slice('nats://'.length).split('+'))
    // a cluster takes a moment to have a leader
    await until(
      'the set-up',
      () =>
        setUp(client, { replicas }).then(
          () => true,
          () => false,
        ),
      30_000,
    )
    const names = Array.from({ length: hosts }, (_, index) => `web${index}.example`)
    const sources = await Promise.all(names.map(name => startSource(name, [servers])))
    cleanup.defer(() => Promise.all(sources.map(source => source.close())))
    return new NatsStage(influx, sources, servers, cleanup)
  }

  /** One without a spool: what its database has no room for waits in the stream. */
  async startCollector(name: string): Promise<void> {
    let one = this.#collectors.get(name)
    if (!one) {
      const site = await openSite()
      this.#cleanup.defer(() => site.close())
      one = { site, child: undefined }
      this.#collectors.set(name, one)
    }
    const sink = ['--sink', 'influxdb', '--influx-url', this.influx.url, '--spool', 'off']
    one.child = await one.site.collector(['--listen', this.#servers, ...sink])
  }

  async endCollector(name: string, signal: NodeJS.Signals): Promise<void> {
    await this.#collectors.get(name)?.child?.kill(signal)
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
