/** Variables that begin like ours and are none. */

import { nearest } from './nearest.ts'
import { type Settings, variables } from './settings.ts'

/** Ours, and no row of a table. */
const OTHERS = ['SOCKFLUX_CONFIG', 'SOCKFLUX_COMMAND']
/** Kubernetes sets these for a Service whose name begins with sockflux (Service environment variables). */
const SERVICE = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/

/** A sentence for each variable `SOCKFLUX_*` that none of the tables reads. */
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
      return `${name} is no setting and has no effect: ${near ? `did you mean ${near}?` : 'sockflux probe --help and sockflux collector --help list them'}`
    })
}
