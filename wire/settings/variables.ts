/** Variables with our prefix that are not ours. */

import { nearest } from './nearest.ts'
import { type Settings, variables } from './settings.ts'

/** Our variables without a row in a table. */
const OTHERS = ['SOCKFLUX_CONFIG', 'SOCKFLUX_COMMAND']
/** Kubernetes sets these for a Service whose name begins with sockflux (Service environment variables). */
const SERVICE = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/
/** Letters that differ in a name that was mistyped. */
const TYPO = 2

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
      const near = nearest(name, known, TYPO) ?? lengthened(name, known) ?? nearest(name, known)
      return `${name} is not a setting and has no effect: ${near ? `did you mean ${near}?` : 'sockflux probe --help and sockflux collector --help list them'}`
    })
}

/** The variable to which something was added: `SOCKFLUX_HOST` of `SOCKFLUX_HOST_FILE`. */
const lengthened = (name: string, known: readonly string[]): string | undefined =>
  known
    .filter(each => name.toUpperCase().startsWith(`${each}_`))
    .toSorted((a, b) => b.length - a.length)
    .at(0)
