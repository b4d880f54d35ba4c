/** Users and groups of this machine by name or number. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The users that services run as; either program trusts the other's where it exists. */
export const COLLECTOR_USER = 'sockflux'
export const PROBE_USER = 'sockflux-probe'

/** Users of other user namespaces that have no number here have this one: user_namespaces(7). */
const OVERFLOW = 65_534

/** A name, and `getent` for those that are not in the file, as those of systemd's DynamicUser=. */
function numberOf(name: string, database: 'passwd' | 'group'): number | undefined {
  if (/^\d+$/.test(name)) return Number(name)
  const inFile = idIn(fileOf(database), name)
  if (inFile !== undefined) return inFile
  const { stdout } = spawnSync('getent', [database, name], { encoding: 'utf8', timeout: 5000 })
  return idIn(stdout ?? '', name)
}

function fileOf(database: string): string {
  try {
    return readFileSync(`/etc/${database}`, 'utf8')
  } catch {
    return ''
  }
}

/** passwd(5) and group(5): the name is the first field, its number the third. */
const idIn = (text: string, name: string): number | undefined => {
  const line = text.split('\n').find(line => line.startsWith(`${name}:`))
  const id = line?.split(':')[2]
  return id !== undefined && /^\d+$/.test(id) ? Number(id) : undefined
}

export const uidOf = (name: string): number | undefined => numberOf(name, 'passwd')

/** Users, and groups with `%` before their name. */
export interface Users {
  readonly uids: ReadonlySet<number>
  readonly gids: ReadonlySet<number>
}

/**
 * @param names of users, and `%group`
 * @throws for a name that is unknown
 */
export function usersOf(names: readonly string[], flag: string): Users {
  const numbers = names.map(name => {
    const isGroup = name.startsWith('%')
    const id = isGroup ? numberOf(name.slice(1), 'group') : uidOf(name)
    if (id === undefined)
      throw new Error(
        `${flag}: there is no ${isGroup ? 'group' : 'user'} ${name} on this machine: correct it, or make it`,
      )
    if (id === OVERFLOW)
      throw new Error(
        `${flag}: ${name} stands for every user that has no number here, as those of containers: name another`,
      )
    return { isGroup, id }
  })
  const ids = (wanted: boolean) => numbers.filter(({ isGroup }) => isGroup === wanted).map(({ id }) => id)
  return { uids: new Set(ids(false)), gids: new Set(ids(true)) }
}
