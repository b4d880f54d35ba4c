import type { Answer } from './transport.ts'

/**
 * `1.6.7`, `v2.7.1` or `3.0.1` in a header of GET /ping, which 3.x sends even where it wants a token. A server that hides it
 * counts as 2.x if an organisation is given; VictoriaMetrics and 1.x have none, and accept a token on /write.
 */
export function majorOf(
  { headers }: Answer,
  { org, token }: { readonly org?: string | undefined; readonly token?: string | undefined },
): 1 | 2 | 3 {
  const major = /^v?([123])\./.exec(String(headers['x-influxdb-version']))?.[1]
  return (major ? Number(major) : org === undefined || token === undefined ? 1 : 2) as 1 | 2 | 3
}
