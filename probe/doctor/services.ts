/** Where what the probe reads goes to: collectors, and the InfluxDB behind them. */

import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions as TlsOptions } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { urlToHttpOptions } from 'node:url'
import { codeOf, type Env, type Finding } from './check.ts'
import { unixSocket } from './runtimes.ts'

/** Samples of another clock fall into other windows; requests to far servers take less than this. */
const CLOCK_SKEW_MS = 2000

/** What a ZeroMQ peer sends first: ZMTP 3.1 (rfc.zeromq.org/spec/37), signature = %xFF 8OCTET %x7F. */
const ZMTP_SIGNATURE = 0xff

export function collectors(env: Env): Promise<Finding[]> {
  return Promise.all(
    env.collectors.map(async endpoint => {
      const answer = await greeting(endpoint, env.timeoutMs)
      const name = 'collector'
      if (answer === ZMTP_SIGNATURE) return { name, ok: true, found: `${endpoint} answers` }
      const found =
        typeof answer === 'string'
          ? `${endpoint} cannot be reached (${answer})`
          : `what answers at ${endpoint} does not speak ZeroMQ`
      const remedy = 'start the collector there, or give the probe its --collector; until then records wait'
      return { name, ok: 'warn' as const, found, remedy }
    }),
  )
}

/** The first byte that the other side sends, or the error's code. */
async function greeting(endpoint: string, timeoutMs: number): Promise<number | string> {
  const [, host, port] = /^tcp:\/\/(.+):(\d+)$/.exec(endpoint) ?? []
  const socket = host
    ? connect(Number(port), host.replace(/^\[|\]$/g, ''))
    : connect(endpoint.replace(/^ipc:\/\//, ''))
  const { promise, resolve } = Promise.withResolvers<number | string>()
  socket.setTimeout(timeoutMs, () => resolve('ETIMEDOUT'))
  socket.on('data', data => resolve(data[0] ?? 0))
  socket.on('error', error => resolve(codeOf(error)))
  socket.on('close', () => resolve('closed at once'))
  return promise.finally(() => socket.destroy())
}

/** The collector's own socket; there is none on hosts that only have a probe. */
export async function query(env: Env): Promise<Finding[]> {
  const access = await unixSocket(join(env.root, env.socket))
  if (access === 'missing') return []
  const name = 'query'
  if (access !== 'usable')
    return [
      {
        name,
        ok: 'warn',
        found: `no collector answers at ${env.socket} (${access === 'idle' ? 'nobody listens' : access})`,
        remedy:
          access === 'idle'
            ? 'start the collector'
            : 'run sockflux query and top as the user of the collector or as root',
      },
    ]
  const answer = await get({ socketPath: join(env.root, env.socket), path: '/stats' }, env)
  return [
    typeof answer !== 'string' && answer.statusCode === 200
      ? { name, ok: true, found: `${env.socket} answers` }
      : {
          name,
          ok: 'warn',
          found: `what answers at ${env.socket} is no collector`,
          remedy: 'give SOCKFLUX_SOCKET its path',
        },
  ]
}

/** GET /ping, which all versions of InfluxDB have. */
export async function influxdb(env: Env): Promise<Finding[]> {
  if (!env.influx) return []
  const { ca, insecure } = env.influx
  const url = new URL('/ping', env.influx.url.replace(/^(https?:\/\/).*@/, '$1')) // a login is nobody's business
  const name = 'influxdb'
  let answer: IncomingMessage | string
  try {
    const trust = { rejectUnauthorized: !insecure, ...(ca !== undefined && { ca: readFileSync(ca) }) }
    answer = await get({ ...urlToHttpOptions(url), ...trust }, env)
  } catch (error) {
    answer = `${ca}: ${codeOf(error)}`
  }
  if (typeof answer === 'string')
    return [
      {
        name,
        ok: 'warn',
        found: `${url.origin} cannot be asked (${answer})`,
        remedy:
          'start it, or correct INFLUX_URL or the certificate; until then samples wait in the collector',
      },
    ]
  const skewMs = Date.parse(answer.headers.date ?? '') - Date.now()
  const found = `${answer.headers['x-influxdb-version'] ?? 'unknown version'} at ${url.origin}`
  if (Math.abs(skewMs) > CLOCK_SKEW_MS)
    return [
      {
        name,
        ok: 'warn',
        found: `${found}, whose clock is ${Math.round(skewMs / 1000)} s from this one`,
        remedy: 'set both clocks, for example with NTP',
      },
    ]
  return [{ name, ok: true, found }]
}

/** The answer's head, or why there is none. */
async function get(where: TlsOptions, { timeoutMs }: Env): Promise<IncomingMessage | string> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | string>()
  const request = where.protocol === 'https:' ? httpsRequest : httpRequest
  const asked = request({ ...where, agent: false, signal: AbortSignal.timeout(timeoutMs) }, resolve)
  asked.on('error', error => resolve(error.name === 'AbortError' ? 'no answer' : codeOf(error)))
  asked.end()
  return promise.finally(() => asked.destroy())
}
