/** Variables with our prefix that are not ours. */

import { nearest } from './nearest.ts'
import { type Settings, variables } from './settings.ts'

/** Our variables without a row in a table. */
const OTHERS = ['SOCKFLUX_CONFIG', 'SOCKFLUX_COMMAND']
/** Kubernetes sets these for a Service whose name begins with sockflux (Service environment variables). */
const SERVICE = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/

/** A warning for each variable `SOCKFLUX_*` that is in none of the tables. */
export function unknownVariables(env: NodeJS.ProcessEnv, tables: readonly Settings[]): string[] {
  const rows = tables.flatMap(table => Object.entries(table))
  const known = [
    ...OTHERS,
    ...rows.flatMap(([name, row]) =>
      variables(name, row).flatMap(variable => (row.secret ? [variable, `${variable}_FILE`] : [variable])),
    ),
  ]
  return Object.keys(env)
    .filter(name => /^SOCKFLUX_/i.test(name) && !known.includes(name) && !SERVICE.test(name))
    .toSorted()
    .map(name => {
      const near = nearest(name, known)
      return `${name} is not a setting and has no effect: ${near ? `did you mean ${near}?` : 'sockflux probe --help and sockflux collector --help list them'}`
    })
}
