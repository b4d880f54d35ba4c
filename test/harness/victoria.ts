import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export interface Victoria {
  readonly url: string
  /** Labels of every series of a metric. */
  series(metric: string): Promise<Record<string, string>[]>
  /** All points of the series of a metric: time in seconds and value. */
  points(metric: string): Promise<[number, number][]>
  /** A counter of its own, such as `vm_rows_invalid_total{type="influx"}`. */
  counter(name: string): Promise<number>
  remove(): Promise<void>
}

/** A private VictoriaMetrics (Debian's 1.79) on a free loopback port with its data in a directory of its own. */
/** @param flags more of them */
export async function startVictoria(...flags: readonly string[]): Promise<Victoria> {
  const dir = await mkdtemp(join(tmpdir(), 'victoria-'))
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}`
  const child = spawn(
    'victoria-metrics',
    [
      `-httpListenAddr=${address}`,
      `-storageDataPath=${dir}`,
      '-retentionPeriod=100y',
      '-search.latencyOffset=0s',
      ...flags,
    ],
    { stdio: 'ignore' },
  )
  async function remove(): Promise<void> {
    if (child.exitCode === null && child.kill()) await once(child, 'exit')
    await rm(dir, { recursive: true, force: true })
  }
  const isUp = () => fetch(`${url}/health`).then(({ ok }) => ok)
  while (!(await isUp().catch(() => false))) {
    if (child.exitCode !== null) throw new Error(`victoria-metrics exited with ${child.exitCode}`)
    await wait(20)
  }
  const text = (path: string) => fetch(url + path).then(response => response.text())
  return {
    url,
    remove,
    async series(metric) {
      await text('/internal/force_flush')
      const match = new URLSearchParams({ 'match[]': `{__name__="${metric}"}` })
      const lines = (await text(`/api/v1/export?${match}`)).split('\n').filter(Boolean)
      return lines.map(line => (JSON.parse(line) as { metric: Record<string, string> }).metric)
    },
    async points(metric) {
      await text('/internal/force_flush')
      const match = new URLSearchParams({ 'match[]': `{__name__="${metric}"}`, reduce_mem_usage: '0' })
      const lines = (await text(`/api/v1/export?${match}`)).split('\n').filter(Boolean)
      return lines.flatMap(line => {
        const { timestamps, values } = JSON.parse(line) as { timestamps: number[]; values: number[] }
        return timestamps.map((time, at): [number, number] => [time / 1000, values[at]!])
      })
    },
    async counter(name) {
      const line = (await text('/metrics')).split('\n').find(line => line.startsWith(`${name} `))
      return Number(line?.split(' ')[1] ?? 0)
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
