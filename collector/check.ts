/** The rules between the collector's settings, and between them and this machine. */

import { dirname } from 'node:path'
import { readSecret, secretPath } from '../wire/link/key_files.ts'
import { usersOf } from '../wire/link/users.ts'
import { linkOf } from '../wire/settings/endpoint.ts'
import { plainWarning, thrownBy } from '../wire/settings/link_remarks.ts'
import type { Check, Given, Remark } from '../wire/settings/read.ts'
import { checkSource } from './cluster/cluster.ts'
import { directoryFault } from './directory.ts'
import { checkIpfix } from './ipfix/check.ts'
import type { CollectorOptions, collectorSettings } from './options.ts'
import { checkPage } from './page/check.ts'
import { checkSinks, wantedSinks } from './sinks/open.ts'

type CollectorGiven = Given<typeof collectorSettings>
type Rule = (options: CollectorOptions, given: CollectorGiven) => readonly (Remark | false)[]

export const checkCollector: Check<typeof collectorSettings> = (options, given) =>
  [listening, keys, users, profile, cluster, checkSinks, checkIpfix, socket, checkPage]
    .flatMap(rule => rule(options, given))
    .filter(remark => remark !== false)

const listening: Rule = ({ listen }, given) => {
  const where = given('listen') ?? '--listen'
  const links = listen.map(linkOf)
  const endpoint = repeated(
    links.map(({ endpoint }) => endpoint.toLowerCase()).filter(is => !is.endsWith(':*')),
  )
  const ifid = repeated(links.map(({ ifid }, index) => ifid ?? String(index)))
  return [
    endpoint !== undefined && { text: `${where}: ${endpoint} is there twice: leave one out` },
    ifid !== undefined && {
      text: `${where}: ifid ${ifid} is there twice (without ,ifid= it is the position from 0): give each endpoint its own`,
    },
  ]
}

/** An endpoint that leaves the machine is encrypted, or plain text by name. */
const keys: Rule = ({ listen, keys }, given) => {
  const links = listen.map(linkOf)
  const curve = links.find(({ security }) => security === 'curve')
  const fault = curve && thrownBy(() => readSecret(secretPath(keys, 'collector')))
  const where = given('listen') ?? '--listen'
  return [
    ...links.filter(({ isByDefault }) => isByDefault).map(link => plainWarning(where, link)),
    fault !== undefined && {
      text: `${where}: ${curve?.endpoint} is encrypted and needs a key (${fault}): run sockflux keys generate collector, or write ${curve?.endpoint},plain to be heard without knowing by whom`,
    },
  ]
}

const users: Rule = ({ linkUsers }, given) => {
  const fault = thrownBy(() => usersOf(linkUsers, given('linkUsers') ?? '--link-users'))
  return [fault !== undefined && { text: fault }]
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

/** Measurements that only the facts of a cluster give. */
const OF_CLUSTER = ['workload', 'service']

const cluster: Rule = ({ clusterFrom, clusterLabel, metrics }, given) => {
  const fault = thrownBy(() => checkSource(clusterFrom))
  const group = metrics.find(name => OF_CLUSTER.includes(name))
  const without = (where: string | undefined, what: string) =>
    clusterFrom === undefined && {
      text: `${where}: ${what} needs the facts of a cluster: give --cluster-from, or leave it out`,
    }
  return [
    fault !== undefined && { text: fault },
    group !== undefined && without(given('metrics') ?? '--metrics', group),
    clusterLabel.length > 0 && without(given('clusterLabel') ?? '--cluster-label', 'a label'),
  ]
}

const socket: Rule = (options, given) => {
  const fault = directoryFault(dirname(options.socket))
  return [fault !== undefined && { text: `${given('socket') ?? '--socket'}: ${fault}` }]
}
