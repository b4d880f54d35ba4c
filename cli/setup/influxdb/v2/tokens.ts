/** Two tokens with one right each: to write the windows, for the collector; to read all buckets of ours, for Grafana. */

import { z } from 'zod'
import { type Api, json } from '../api.ts'
import { fileOf, openSecret, ROLES, type Role, readSecret } from '../credentials.ts'
import { type Plan, type Step, together } from '../step.ts'
import { isOn, type Wanted } from '../wanted.ts'
import { bucketOf } from './flux.ts'
import { authorization, type Ids } from './server.ts'

const PATH = '/api/v2/authorizations'
const answer = z.object({ authorizations: z.array(authorization).default([]) })
const made = authorization.extend({ token: z.string().min(1) })

export async function tokens(api: Api, wanted: Wanted, org: string, ids: Ids): Promise<Plan> {
  const { credentials } = wanted
  if (credentials === undefined) return { steps: [], notes: [] }
  const path = `${PATH}?${new URLSearchParams({ orgID: org })}`
  const { authorizations } = await api.get(answer, 'list tokens', 'GET', path)
  const names = authorizations.flatMap(({ description }) => description ?? [])
  return together(ROLES.map(role => token(api, wanted, org, ids, credentials, role, names)))
}

function token(
  api: Api,
  { database, resolutions }: Wanted,
  org: string,
  ids: Ids,
  directory: string,
  role: Role,
  present: readonly string[],
): Plan {
  const description = `sockflux ${role.role} of ${database}`
  const path = fileOf(directory, role, 'token')
  const secret = readSecret(path)
  const isThere = present.includes(description)
  const remedy = isThere
    ? `write the token into ${path}, or delete it in InfluxDB (influx auth delete), and a new one is made`
    : `remove ${path}, and a new one is made`
  if (isThere !== (secret !== undefined))
    throw new Error(
      `token "${description}" is ${isThere ? '' : 'not '}in InfluxDB at ${api.server.url}, but ${isThere ? 'not in' : 'there is'} ${path}: ${remedy}`,
    )
  const notes = [`${role.use}: INFLUX_TOKEN_FILE=${path}`]
  if (isThere) return { steps: [], notes }
  const buckets =
    role.right === 'write'
      ? [database]
      : [database, ...resolutions.filter(isOn).map(resolution => bucketOf(database, resolution))]
  const body = () => ({
    orgID: org,
    description,
    permissions: buckets.map(name => ({
      action: role.right,
      resource: { type: 'buckets', id: ids.get(name) ?? `<id of ${name}>`, orgID: org },
    })),
  })
  const step: Step = {
    get shows() {
      return `POST ${PATH} ${JSON.stringify(body())} -- into ${path}`
    },
    async run() {
      const file = openSecret(directory, path)
      try {
        const { token } = await api.get(made, `create token "${description}"`, 'POST', PATH, json(body()))
        file.write(token)
      } catch (error) {
        file.drop()
        throw error
      }
    },
  }
  return { steps: [step], notes }
}
