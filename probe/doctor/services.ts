/** Checks the collectors that the probe sends to, and the InfluxDB behind them. */

import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions as TlsOptions } from 'node:https'
import { connect, isIP } from 'node:net'
import { join } from 'node:path'
import { urlToHttpOptions } from 'node:url'
import { codeOf, type Finding } from '../kernel/finding.ts'
import type { Env, InfluxAddress } from './check.ts'
import { natsServer } from './nats.ts'
import { unixSocket } from './runtimes.ts'

/** With a larger difference of clocks, samples fall into other windows; a request to a far server takes less. */
const CLOCK_SKEW_MS = 2000

/** What a ZeroMQ peer sends first: ZMTP 3.1 (rfc.zeromq.org/spec/37), signature = %xFF 8OCTET %x7F. */
const ZMTP_SIGNATURE = 0xff

export async function collectors(env: Env): Promise<Finding[]> {
  return (await Promise.all(env.collectors.map(endpoint => collector(endpoint, env)))).flat()
}

/** All addresses of its name, as the probe tries them in turn. */
async function collector(endpoint: string, env: Env): Promise<Finding[]> {
  const { timeoutMs } = env
  const name = 'collector'
  if (endpoint.startsWith('nats://')) return [await natsServer(endpoint, env)]
  const [, host, port] = /^tcp:\/\/(.+):(\d+)$/.exec(endpoint) ?? []
  let places: Place[]
  try {
    places = host ? await addresses(host.replace(/^\[|\]$/g, ''), Number(port)) : [pathOf(endpoint)]
  } catch (error) {
    return [
      {
        name,
        ok: 'warn',
        found: `${endpoint}: the host ${host} is unknown (${codeOf(error)})`,
        remedy: UNKNOWN,
      },
    ]
  }
  const answers = await Promise.all(
    places.map(async place => ({ place, answer: await greeting(place, timeoutMs) })),
  )
  const good = answers.find(({ answer }) => answer === ZMTP_SIGNATURE)
  const at = ({ host }: Place) => (places.length > 1 ? ` at ${host}` : '')
  if (good) return [{ name, ok: true, found: `${endpoint} answers${at(good.place)}` }]
  const other = answers.find(({ answer }) => typeof answer === 'number')
  const found = other
    ? `what answers at ${endpoint} does not speak ZeroMQ`
    : `${endpoint} cannot be reached (${answers.map(({ place, answer }) => `${answer}${at(place)}`).join(', ')})`
  return [{ name, ok: 'warn', found, remedy: SILENT }]
}

const UNKNOWN = 'correct --collector, or have the name in the DNS or /etc/hosts; until then records wait'
const SILENT = 'start the collector there, or give the probe its --collector; until then records wait'

interface Place {
  readonly host?: string
  readonly port?: number
  readonly path?: string
}

/** @throws when the name cannot be resolved */
async function addresses(host: string, port: number): Promise<Place[]> {
  if (isIP(host)) return [{ host, port }]
  return (await lookup(host, { all: true })).map(({ address }) => ({ host: address, port }))
}

/** `ipc://@name` is in the abstract name space, unix(7). */
const pathOf = (endpoint: string): Place => ({ path: endpoint.replace(/^ipc:\/\//, '').replace(/^@/, '\0') })

/** The first byte that the peer sends, or the error's code. */
async function greeting({ host, port, path }: Place, timeoutMs: number): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>()
  const socket = path === undefined ? connect({ host, port: port! }) : connect(path)
  socket.setTimeout(timeoutMs, () => resolve('ETIMEDOUT'))
  socket.on('data', data => resolve(data[0] ?? 0))
  socket.on('error', error => resolve(codeOf(error)))
  socket.on('close', () => resolve('closed at once'))
  return promise.finally(() => socket.destroy())
}

/** The collector's unix socket; a host with only a probe has none. */
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
  return (await Promise.all((env.influx ?? []).map(address => influxAt(address, env)))).flat()
}

async function influxAt({ url: given, ca, insecure }: InfluxAddress, env: Env): Promise<Finding[]> {
  const url = new URL('/ping', given.replace(/^(https?:\/\/).*@/, '$1')) // a login is nobody's business
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
