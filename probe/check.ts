/** Checks the probe's settings against each other and against this host. */

import { statSync } from 'node:fs'
import { curvesOf } from '../wire/link/curves.ts'
import { usersOf } from '../wire/link/users.ts'
import { linkOf } from '../wire/settings/endpoint.ts'
import { plainWarning, thrownBy } from '../wire/settings/link_remarks.ts'
import type { Check, Given, Remark } from '../wire/settings/read.ts'
import type { ProbeOptions, probeSettings } from './options.ts'

type ProbeGiven = Given<typeof probeSettings>

/** Kernel memory of each at the start; the help of the first two has the same numbers. */
const COSTS = [
  { name: 'maxFlows', bytes: 296 },
  { name: 'maxUdpFlows', bytes: 312 },
  { name: 'ringSize', bytes: 1 },
] as const
const SOCKETS = ['criSocket', 'dockerSocket', 'podmanSocket'] as const
const DIRECTORIES = ['containerdState', 'ociState', 'dockerRoot', 'kubeletLogs'] as const

export const checkProbe: Check<typeof probeSettings> = (options, given) => [
  ...repeated(options, given),
  ...links(options, given),
  ...memory(options, given, process.availableMemory()),
  ...absent(options, given),
]

/** Each collector gets every record: one that is given twice would count everything twice. */
function repeated({ collector }: ProbeOptions, given: ProbeGiven): Remark[] {
  const normalized = collector.map(text =>
    linkOf(text)
      .endpoint.toLowerCase()
      .replace(/\.(?=:\d+$)/, ''),
  )
  const twice = collector.find((_, index) => normalized.indexOf(normalized[index]!) < index)
  return twice === undefined
    ? []
    : [{ text: `${given('collector') ?? '--collector'}: ${twice} is there twice: leave one out` }]
}

/** An endpoint that leaves the machine is encrypted, or plain text by name. */
function links(options: ProbeOptions, given: ProbeGiven): Remark[] {
  const where = given('collector') ?? '--collector'
  const links = options.collector.map(linkOf)
  const isOneOfNats = options.sendTo === 'one' && links.some(({ security }) => security === 'server')
  const curve = links.find(({ security }) => security === 'curve')
  const fault = curve && thrownBy(() => curvesOf(options))
  const users = thrownBy(() => usersOf(options.linkUsers, given('linkUsers') ?? '--link-users'))
  return [
    ...(isOneOfNats && links.length > 1
      ? [
          {
            text: `${where}: with --send-to one all collectors are of ZeroMQ, as those behind a stream share its windows: write the servers of one cluster as nats://a:4222+b:4222, and leave --send-to out`,
          },
        ]
      : []),
    ...(fault === undefined
      ? []
      : [
          {
            text: `${where}: ${curve?.endpoint} is encrypted and needs keys (${fault}): run sockflux keys generate probe, and put the collector's public key beside it; or write ${curve?.endpoint},plain to send without knowing to whom`,
          },
        ]),
    ...(users === undefined ? [] : [{ text: users }]),
    ...links.filter(({ isByDefault }) => isByDefault).map(link => plainWarning(where, link)),
  ]
}

/**
 * Half of the available memory is left to other programs. Defaults are small, and are not checked.
 * @param available bytes of memory, within the limit of this control group
 */
export function memory(options: ProbeOptions, given: ProbeGiven, available: number): Remark[] {
  const taken = COSTS.filter(({ name }) => given(name) !== undefined)
  const needed = taken.reduce((sum, { name, bytes }) => sum + options[name] * bytes, 0)
  if (needed <= available / 2) return []
  const where = taken.map(({ name }) => given(name)).join(' and ')
  return [
    {
      text: `${where}: takes ${mebibytes(needed)} of kernel memory at the start, more than half of the ${mebibytes(available)} available: give less`,
    },
  ]
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`

/** A runtime may start later, so it is no error. */
function absent(options: ProbeOptions, given: ProbeGiven): Remark[] {
  const missing = (
    name: (typeof SOCKETS | typeof DIRECTORIES)[number],
    what: string,
    is: 'isSocket' | 'isDirectory',
  ) =>
    given(name) === undefined
      ? []
      : options[name].flatMap(path => {
          const why = path.includes('*') ? undefined : lacks(path, what, is)
          return why === undefined
            ? []
            : [{ warning: true, text: `${given(name)}: ${why}: correct it, unless the runtime starts later` }]
        })
  return [
    ...SOCKETS.flatMap(name => missing(name, 'socket', 'isSocket')),
    ...DIRECTORIES.flatMap(name => missing(name, 'directory', 'isDirectory')),
  ]
}

function lacks(path: string, what: string, is: 'isSocket' | 'isDirectory'): string | undefined {
  try {
    return statSync(path)[is]() ? undefined : `${path} is no ${what}`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? `there is no ${what} ${path}` : `${path} cannot be opened (${code})`
  }
}
