/** What an answer to a request of the set-up means when it is no success: what, where, remedy. */

import {
  clip,
  described,
  foreign,
  redirected,
  WANTS_TLS,
  who,
  wordsOf,
} from '../../../collector/sinks/influxdb/answers.ts'
import type { Server } from '../../../collector/sinks/influxdb/errors.ts'
import type { Answer } from '../../../collector/sinks/influxdb/transport.ts'

/** InfluxDB's words when a login is right and its rights are not enough: 1.x, 2.x and 3.x. */
const LACKS_RIGHT = /not authorized|is unauthorized|requires admin|insufficient permissions|forbidden/i

type Sentence = (server: Server, what: string, words: string) => string

const login: Sentence = (server, what, words) =>
  LACKS_RIGHT.test(words)
    ? `${who(server)} may not ${what} in InfluxDB at ${server.url}: give the login of an administrator (1.x: ALL PRIVILEGES), an all-access token of the organisation (2.x) or an admin token (3.x) as INFLUX_USERNAME and INFLUX_PASSWORD, or INFLUX_TOKEN`
    : `InfluxDB at ${server.url} refuses the login of ${who(server)}: check INFLUX_USERNAME and INFLUX_PASSWORD, or INFLUX_TOKEN`

const byStatus: Readonly<Record<number, Sentence>> = {
  400: (server, what) => `InfluxDB at ${server.url} refuses to ${what}`,
  401: login,
  403: (server, what, words) =>
    words
      ? login(server, what, 'forbidden')
      : `a proxy in front of InfluxDB at ${server.url} does not let us ${what}: correct --influx-url, or the proxy`,
  404: (server, what) =>
    `InfluxDB at ${server.url} cannot ${what}, as it does not know it: correct --influx-url, --influx-org or --influx-version`,
  409: (server, what) => `InfluxDB at ${server.url} cannot ${what}: it is in conflict with what is there`,
  429: ({ url }, what) => `InfluxDB at ${url} takes no more requests now and did not ${what}: run this again`,
}

/**
 * @param what the request does, after "may not": `create database "x"`
 * @returns the error; undefined if the request succeeded
 */
export function refusalOf(answer: Answer, server: Server, what: string): Error | undefined {
  const { status, headers, text, json } = answer
  if (status >= 300 && status < 400) return redirected(answer, server)
  if (status === 400 && WANTS_TLS.test(text))
    return new Error(`InfluxDB at ${server.url} needs TLS: write https:// in the url`)
  if (status < 300) {
    // InfluxDB answers in JSON, to a Flux query in CSV, and with nothing where there is nothing to say
    const isCsv = String(headers['content-type']).startsWith('text/csv')
    return json !== undefined || text === '' || isCsv ? undefined : foreign(answer, server)
  }
  const words = wordsOf(answer) ?? ''
  if (status === 404 && words === '') return foreign(answer, server)
  const sentence =
    byStatus[status]?.(server, what, words) ??
    `InfluxDB at ${server.url}, or a proxy in front of it, could not ${what}: look into its log, then run this again`
  return new Error(`${sentence} (it answered ${status} ${words ? clip(words) : described(answer)})`)
}

/** An answer of the expected status whose content is not InfluxDB's. */
export const notInflux = (answer: Answer, server: Server): Error => foreign(answer, server)
