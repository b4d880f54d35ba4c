/** The rules between the collector's settings, and between them and this machine. */

import { dirname } from 'node:path'
import type { Check, Given, Remark } from '../wire/settings/read.ts'
import { directoryFault } from './directory.ts'
import type { CollectorOptions, collectorSettings } from './options.ts'
import { checkSinks, wantedSinks } from './sinks/open.ts'

type CollectorGiven = Given<typeof collectorSettings>
type Rule = (options: CollectorOptions, given: CollectorGiven) => readonly (Remark | false)[]

export const checkCollector: Check<typeof collectorSettings> = (options, given) =>
  [listening, profile, checkSinks, socket]
    .flatMap(rule => rule(options, given))
    .filter(remark => remark !== false)

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
    !wantedSinks(options).some(({ wants }) => wants.samples === 'all') && {
      text: `${given('metrics')}: profile ntopng has no groups of measurements: leave it out, or take --profile sockflux`,
    },
]

const socket: Rule = (options, given) => {
  const fault = directoryFault(dirname(options.socket))
  return [fault !== undefined && { text: `${given('socket') ?? '--socket'}: ${fault}` }]
}
