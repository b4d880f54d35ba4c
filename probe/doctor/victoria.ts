/** VictoriaMetrics behind the address of InfluxDB: it does not overwrite a point that is written again, unless it is told to. */

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { urlToHttpOptions } from 'node:url'
import type { Finding } from '../kernel/finding.ts'
import type { Env, InfluxAddress } from './check.ts'

/** One point of those with the same time is left; windows are whole seconds apart. */
const FLAG = '-dedup.minScrapeInterval'

export async function victoriametrics(env: Env): Promise<Finding[]> {
  return (await Promise.all((env.influx ?? []).map(address => at(address, env)))).flat()
}

async function at(address: InfluxAddress, env: Env): Promise<Finding[]> {
  const flags = await flagsOf(address, env).catch(() => undefined)
  if (flags === undefined) return []
  const name = 'victoriametrics'
  const value = flags.match(/^-dedup\.minScrapeInterval="?([^"\n]+)/m)?.[1]
  if (value === '1ms')
    return [{ name, ok: true, found: `VictoriaMetrics leaves one of the points of one time (${FLAG}=1ms)` }]
  return [
    {
      name,
      ok: 'warn',
      found:
        value === undefined
          ? `VictoriaMetrics keeps every point of a window that is written again (${FLAG} is not set)`
          : `VictoriaMetrics drops points that are less than ${value} apart (${FLAG}): windows may be shorter`,
      remedy: `start it with ${FLAG}=1ms; of a cluster, vmstorage and vmselect`,
    },
  ]
}

/** What GET /flags says: the flags that are set. @returns undefined where it is no VictoriaMetrics */
async function flagsOf({ url: given }: InfluxAddress, { timeoutMs }: Env): Promise<string | undefined> {
  const url = new URL('/flags', given.replace(/^(https?:\/\/).*@/, '$1'))
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const trust = { rejectUnauthorized: false, agent: false as const, signal: AbortSignal.timeout(timeoutMs) }
  request({ ...urlToHttpOptions(url), ...trust }, resolve)
    .on('error', reject)
    .end()
  const answer = await promise
  const isOne = answer.statusCode === 200 && answer.headers['x-server-hostname'] !== undefined
  if (isOne) return text(answer)
  answer.destroy()
  return undefined
}
