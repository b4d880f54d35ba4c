/** Requests of the set-up, over the collector's transport; every failure is a sentence with its remedy. */

import type { z } from 'zod'
import { explainError, type Server } from '../../../collector/sinks/influxdb/errors.ts'
import { variableOf } from '../../../collector/sinks/influxdb/proxy.ts'
import { type Answer, Transport } from '../../../collector/sinks/influxdb/transport.ts'
import { splitLogin } from '../../../collector/sinks/influxdb/url.ts'
import { majorOf } from '../../../collector/sinks/influxdb/version.ts'
import { notInflux, refusalOf } from './refusals.ts'

export interface Login {
  readonly token?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
}

export interface ApiOptions extends Login {
  readonly url: string
  readonly database: string
  readonly org: string | undefined
  readonly version: 1 | 2 | 3 | undefined
  readonly ca: string | undefined
  readonly insecure: boolean
  readonly timeoutMs: number
  readonly env: NodeJS.ProcessEnv
}

interface Body {
  readonly type: string
  readonly text: string
}
export const json = (value: unknown): Body => ({ type: 'application/json', text: JSON.stringify(value) })
export const form = (fields: Record<string, string>): Body => ({
  type: 'application/x-www-form-urlencoded',
  text: new URLSearchParams(fields).toString(),
})

export class Api {
  readonly server: Server
  readonly #options: ApiOptions
  readonly #transport: Transport

  /** @throws when a setting cannot work */
  constructor(options: ApiOptions) {
    const { url, ...inUrl } = splitLogin(options.url)
    const { database, token, ca, insecure, timeoutMs, env } = options
    const user = options.username ?? inUrl.username
    const password = options.password ?? inUrl.password ?? ''
    const proxy = variableOf(url, env)
    this.#options = options
    this.server = { url, database, retentionPolicy: undefined, user, timeoutMs, proxy }
    this.#transport = new Transport({
      ...{ url, token, ca, timeoutMs, env, password },
      username: user,
      insecureSkipVerify: insecure,
      gzip: false,
    })
  }

  /** The same server with another login, or with another time for an answer. */
  with(other: Login & { readonly timeoutMs?: number }): Api {
    const { url } = this.server
    const isLogin = other.username !== undefined || other.token !== undefined
    const none = isLogin ? { token: undefined, username: undefined, password: undefined } : {}
    const { url: given } = this.#options
    return new Api({ ...this.#options, ...none, ...other, url: isLogin ? url : given })
  }

  /** The major version, and how the server calls it. */
  async version(): Promise<{ major: 1 | 2 | 3; shown: string }> {
    const answer = await this.send('GET', '/ping')
    if (answer.status >= 300) {
      const refusal = refusalOf(answer, this.server, 'tell its version')
      // 3.x sends its version with a 401 when it wants a token
      const isLogin = answer.status === 401 || answer.status === 403
      if (refusal && !(isLogin && answer.headers['x-influxdb-version'] !== undefined)) throw refusal
    }
    const major = this.#options.version ?? majorOf(answer, this.#options)
    const shown = String(answer.headers['x-influxdb-version'] ?? `${major}.x`).replace(/^v/, '')
    return { major, shown }
  }

  /**
   * @param what see `refusalOf`
   * @returns the body, as the schema has it; what the schema does not have is not InfluxDB's
   */
  async get<T>(schema: z.ZodType<T>, what: string, method: string, path: string, body?: Body): Promise<T> {
    const answer = await this.send(method, path, body)
    const refusal = refusalOf(answer, this.server, what)
    if (refusal) throw refusal
    const read = schema.safeParse(answer.json)
    if (!read.success || answer.isCut) throw notInflux(answer, this.server)
    return read.data
  }

  /** For an answer whose content does not matter. */
  async do(what: string, method: string, path: string, body?: Body): Promise<void> {
    const refusal = refusalOf(await this.send(method, path, body), this.server, what)
    if (refusal) throw refusal
  }

  /** @throws only if there is no answer */
  async send(method: string, path: string, body?: Body): Promise<Answer> {
    try {
      return await this.#transport.send(method, path, Buffer.from(body?.text ?? ''), body?.type)
    } catch (error) {
      throw explainError(error, this.server)
    }
  }

  close(): void {
    this.#transport.close()
  }
}
