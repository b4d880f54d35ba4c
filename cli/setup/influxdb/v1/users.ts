/** Two users with one right each: WRITE for the collector, READ for Grafana. */

import type { Api } from '../api.ts'
import { fileOf, newSecret, openSecret, ROLES, type Role, readSecret } from '../credentials.ts'
import { MASK, type Plan, type Step, together } from '../step.ts'
import type { Wanted } from '../wanted.ts'
import { name, string } from './influxql.ts'
import { ask, type Row, statement } from './server.ts'

export async function users(api: Api, wanted: Wanted): Promise<Plan> {
  const { credentials } = wanted
  if (credentials === undefined) return { steps: [], notes: [] }
  // RFC 7617, 2: the password begins after the first colon
  if (wanted.database.includes(':'))
    throw new Error(
      `--credentials: the users' names begin with that of the database, ${name(wanted.database)}, and with a colon in it nobody can log in: make them by hand, or give another --influx-database`,
    )
  const present = await ask(api, 'SHOW USERS')
  return together(await Promise.all(ROLES.map(role => user(api, wanted, credentials, role, present))))
}

async function user(
  api: Api,
  { database }: Wanted,
  directory: string,
  role: Role,
  present: readonly Row[],
): Promise<Plan> {
  const user = `${database}_${role.role}`
  const path = fileOf(directory, role, 'password')
  const secret = readSecret(path)
  const there = present.find(row => row['user'] === user)
  const notes = [
    `${role.use}: INFLUX_USERNAME=${user} INFLUX_PASSWORD_FILE=${path}`,
    ...(there?.['admin'] === true
      ? [`user ${name(user)} is an administrator: REVOKE ALL PRIVILEGES FROM ${name(user)}`]
      : []),
  ]
  if (there && secret === undefined)
    throw new Error(
      `user ${name(user)} is in InfluxDB at ${api.server.url}, but its password is not in ${path}: write it there, or run DROP USER ${name(user)}, and a new one is made`,
    )
  const granted = there ? await ask(api, `SHOW GRANTS FOR ${name(user)}`) : []
  const right = role.right.toUpperCase()
  const isGranted = granted.some(row => row['database'] === database && row['privilege'] === right)
  const grant = statement(api, `GRANT ${right} ON ${name(database)} TO ${name(user)}`)
  const account = there
    ? (await isRight(api, user, secret!))
      ? []
      : [setPassword(api, user, secret!)]
    : [create(api, user, directory, path, secret)]
  return { steps: [...account, ...(isGranted ? [] : [grant])], notes }
}

/** Whether the password in the file is the user's. Without logins InfluxDB takes any. */
async function isRight(api: Api, username: string, password: string): Promise<boolean> {
  const own = api.with({ username, password })
  try {
    const { status } = await own.send('GET', '/query?q=SHOW+DATABASES')
    return status !== 401
  } finally {
    own.close()
  }
}

const setPassword = (api: Api, user: string, secret: string): Step => {
  const text = (password: string) => `SET PASSWORD FOR ${name(user)} = ${string(password)}`
  return statement(api, text(secret), text(MASK))
}

function create(api: Api, user: string, directory: string, path: string, given: string | undefined): Step {
  const text = (password: string) => `CREATE USER ${name(user)} WITH PASSWORD ${string(password)}`
  const shows = text(MASK)
  return {
    shows: given === undefined ? `${shows} -- into ${path}` : `${shows} -- from ${path}`,
    async run() {
      const file = given === undefined ? openSecret(directory, path) : undefined
      const secret = given ?? newSecret()
      try {
        await ask(api, text(secret), shows)
      } catch (error) {
        file?.drop()
        throw error
      }
      file?.write(secret)
    },
  }
}
