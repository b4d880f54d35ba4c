/** What holds between the collector's settings, and between them and this machine. */

import { dirname } from 'node:path'
import type { Check, Given, Remark } from '../wire/settings/read.ts'
import { certificateFault } from './certificate.ts'
import { directoryFault } from './directory.ts'
import type { CollectorOptions, collectorSettings } from './options.ts'

type CollectorGiven = Given<typeof collectorSettings>
type Rule = (options: CollectorOptions, given: CollectorGiven) => readonly (Remark | false)[]

export const checkCollector: Check<typeof collectorSettings> = (options, given) =>
  [listening, profile, influx, certificate, directories]
    .flatMap(rule => rule(options, given))
    .filter(remark => remark !== false)

/** Whether samples go to the embedded store. */
export const usesStore = ({ sink, influxUrl }: Pick<CollectorOptions, 'sink' | 'influxUrl'>): boolean =>
  sink.length > 0 ? sink.includes('embedded') : influxUrl === undefined

const usesInflux = ({ sink, influxUrl }: CollectorOptions): boolean =>
  sink.length > 0 ? sink.includes('influxdb') : influxUrl !== undefined

const listening: Rule = ({ listen }, given) => {
  const where = given('listen') ?? '--listen'
  const parts = listen.map((text, index) => text.split(',ifid=').concat(String(index)))
  const endpoint = repeated(
    parts.map(([endpoint = '']) => endpoint.toLowerCase()).filter(is => !is.endsWith(':*')),
  )
  const ifid = repeated(parts.map(([, ifid = '']) => ifid))
  return [
    endpoint !== undefined && { text: `${where}: ${endpoint} is there twice: leave one out` },
    ifid !== undefined && {
      text: `${where}: ifid ${ifid} is there twice (without ,ifid= it is the position from 0): give each endpoint its own`,
    },
  ]
}

const repeated = (words: readonly string[]): string | undefined =>
  words.find((word, index) => words.indexOf(word) < index)

const profile: Rule = (options, given) => [
  options.profile === 'ntopng' &&
    given('metrics') !== undefined &&
    options.prometheus === undefined && {
      text: `${given('metrics')}: profile ntopng has no groups of measurements: leave it out, or take --profile sockflux`,
    },
]

const influx: Rule = (options, given) => [
  usesInflux(options) &&
    options.influxUrl === undefined && { text: 'the sink influxdb needs --influx-url or INFLUX_URL' },
  usesInflux(options) &&
    options.influxVersion === 2 &&
    options.influxOrg === undefined && {
      text: `${given('influxVersion')}: InfluxDB 2 needs an organisation: give --influx-org or INFLUX_ORG`,
    },
  options.influxPassword !== undefined &&
    options.influxUsername === undefined && {
      text: `${given('influxPassword')}: a password needs its user: give INFLUX_USERNAME`,
    },
  !usesInflux(options) &&
    options.influxUrl !== undefined && {
      warning: true,
      text: `${given('influxUrl')}: has no effect, as --sink does not name influxdb`,
    },
  given('influxUrl')?.startsWith('--') === true &&
    /^\w+:\/\/.*@/s.test(options.influxUrl ?? '') && {
      warning: true,
      text: '--influx-url: every user of this machine sees its login in ps: give INFLUX_USERNAME and INFLUX_PASSWORD, or INFLUX_URL, instead',
    },
]

const certificate: Rule = ({ influxCa, influxInsecure, influxUrl }, given) => {
  if (influxCa === undefined) return []
  const where = given('influxCa')
  const fault = certificateFault(influxCa)
  return [
    fault !== undefined && { text: `${where}: ${fault}` },
    influxUrl?.startsWith('http:') === true && {
      warning: true,
      text: `${where}: has no effect with an address that begins with http: write https`,
    },
    influxInsecure && {
      warning: true,
      text: `${where}: has no effect, as ${given('influxInsecure')} turns the verification off`,
    },
  ]
}

const directories: Rule = (options, given) => {
  const wanted = [
    ...(usesStore(options) ? [{ path: options.store, where: given('store') ?? '--store' }] : []),
    { path: dirname(options.socket), where: given('socket') ?? '--socket' },
  ]
  return wanted.map(({ path, where }) => {
    const fault = directoryFault(path)
    return fault !== undefined && { text: `${where}: ${fault}` }
  })
}
