import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Closable, closable } from './cleanup.ts'
import { start } from './process.ts'
import { scratch } from './scratch.ts'
import { freePort } from './sockflux.ts'
import { until } from './until.ts'

/** The targets reach a new server in the interval of its discovery, which is 5 s. */
const START_MS = 30_000

export type Labels = Readonly<Record<string, string>>

export interface Series {
  readonly labels: Labels
  /** Seconds since the epoch, and what was scraped then. */
  readonly values: readonly (readonly [time: number, value: number])[]
}

export interface Prometheus {
  readonly url: string
  /** One value for each series that exists now. */
  query(expression: string): Promise<Series[]>
  /** Every sample of a selector in the last minutes, as it was scraped. */
  samples(selector: string): Promise<Series[]>
}

/** A private Prometheus that scrapes one address five times a second, once it has done so. */
export function startPrometheus(target: string): Promise<Prometheus & Closable> {
  return closable(async cleanup => {
    const directory = await scratch(cleanup, 'prometheus')
    const config = join(directory, 'prometheus.yml')
    await writeFile(
      config,
      `global: { scrape_interval: 200ms, scrape_timeout: 200ms }
scrape_configs:
  - job_name: sockflux
    honor_labels: true
    static_configs: [{ targets: ['${new URL(target).host}'] }]
`,
    )
    const url = `http://127.0.0.1:${await freePort()}`
    const server = start([
      'prometheus',
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
    ])
    cleanup.defer(() => server.close())

    const query = async (expression: string): Promise<Series[]> => {
      const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`)
      const { data, error } = (await answer.json()) as Answer
      if (!data) throw new Error(`${expression}: ${error}`)
      return data.result.map(({ metric, value, values = value ? [value] : [] }) => ({
        labels: metric,
        values: values.map(([time, text]) => [time, Number(text)] as const),
      }))
    }
    const isUp = async () => (await query('up').catch(() => []))[0]?.values[0]?.[1] === 1
    await until('a scrape', isUp, START_MS).catch((error: Error) => {
      throw new Error(`${error.message}\n${server.stderr}`)
    })
    return { url, query, samples: (selector: string) => query(`${selector}[10m]`) }
  })
}

interface Answer {
  readonly data?: {
    readonly result: readonly {
      readonly metric: Labels
      readonly value?: readonly [number, string]
      readonly values?: readonly (readonly [number, string])[]
    }[]
  }
  readonly error?: string
}

/** What `promtool check metrics` has to say: nothing, or one line for each fault. */
export function lint(text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) =>
    resolve(stdout + stderr || (error?.message ?? '')),
  )
  child.stdin!.end(text)
  return promise
}
