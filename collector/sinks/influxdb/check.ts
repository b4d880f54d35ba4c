/** What holds between the settings of InfluxDB. */

import type { Remark } from '../../../wire/settings/read.ts'
import { certificateFault } from '../../certificate.ts'

interface Options {
  readonly influxUrl: string | undefined
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
  isOpen && options.influxUrl === undefined && { text: 'the sink influxdb needs --influx-url or INFLUX_URL' },
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

function certificate(
  { influxCa, influxInsecure, influxUrl }: Options,
  given: Given,
): readonly (Remark | false)[] {
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
