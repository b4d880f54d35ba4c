/** What holds between the settings of InfluxDB. */

import type { Remark } from '../../../wire/settings/read.ts'
import { certificateFault } from '../../certificate.ts'
import { splitLogin } from './url.ts'

interface Options {
  readonly influxUrl: readonly string[]
  readonly influxVersion: number | undefined
  readonly influxOrg: string | undefined
  readonly influxUsername: string | undefined
  readonly influxPassword: string | undefined
  readonly influxCa: string | undefined
  readonly influxInsecure: boolean
}
type Given = (name: keyof Options) => string | undefined

export const checkInflux = (options: Options, given: Given, isOpen: boolean): Remark[] =>
  [...address(options, given, isOpen), ...certificate(options, given)].filter(remark => remark !== false)

const address = (options: Options, given: Given, isOpen: boolean): readonly (Remark | false)[] => [
  isOpen && options.influxUrl.length === 0 && { text: 'the sink influxdb needs --influx-url or INFLUX_URL' },
  isOpen &&
    options.influxVersion === 2 &&
    options.influxOrg === undefined && {
      text: `${given('influxVersion')}: InfluxDB 2 needs an organisation: give --influx-org or INFLUX_ORG`,
    },
  options.influxPassword !== undefined &&
    options.influxUsername === undefined && {
      text: `${given('influxPassword')}: a password needs its user: give INFLUX_USERNAME`,
    },
  !isOpen &&
    options.influxUrl.length > 0 && {
      warning: true,
      text: `${given('influxUrl')}: has no effect, as --sink does not name influxdb`,
    },
  twice(options.influxUrl) !== undefined && {
    text: `${given('influxUrl')}: has ${twice(options.influxUrl)} twice: each InfluxDB is there once`,
  },
  given('influxUrl')?.startsWith('--') === true &&
    options.influxUrl.some(url => /^\w+:\/\/.*@/s.test(url)) && {
      warning: true,
      text: '--influx-url: every user of this machine sees its login in ps: give INFLUX_USERNAME and INFLUX_PASSWORD, or INFLUX_URL, instead',
    },
]

function twice(urls: readonly string[]): string | undefined {
  const addresses = urls.map(url => splitLogin(url).url)
  return addresses.find((address, at) => addresses.indexOf(address) !== at)
}

function certificate(
  { influxCa, influxInsecure, influxUrl }: Options,
  given: Given,
): readonly (Remark | false)[] {
  if (influxCa === undefined) return []
  const where = given('influxCa')
  const fault = certificateFault(influxCa)
  return [
    fault !== undefined && { text: `${where}: ${fault}` },
    influxUrl.some(url => url.startsWith('http:')) && {
      warning: true,
      text: `${where}: has no effect with an address that begins with http: write https`,
    },
    influxInsecure && {
      warning: true,
      text: `${where}: has no effect, as ${given('influxInsecure')} turns the verification off`,
    },
  ]
}
