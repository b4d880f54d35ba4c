/** The database and its retention policies. */

import { durationText, inWords, shownSeconds } from '../../duration.ts'
import type { Api } from '../api.ts'
import { NEW_SERIES } from '../backfill.ts'
import type { Plan } from '../step.ts'
import { isOn, type Wanted } from '../wanted.ts'
import { name } from './influxql.ts'
import { ask, type Row, statement } from './server.ts'

interface Policy {
  readonly name: string
  /** Seconds; undefined if InfluxDB says what we do not understand. */
  readonly keep: number | undefined
  readonly isDefault: boolean
}

const policyOf = (row: Row): Policy => ({
  name: String(row['name']),
  keep: shownSeconds(String(row['duration'])),
  isDefault: row['default'] === true,
})

const FIRST = 'autogen'

const policiesOf = async (api: Api, database: string): Promise<Policy[]> =>
  (await ask(api, `SHOW RETENTION POLICIES ON ${name(database)}`)).map(policyOf)
const defaultOf = (policies: readonly Policy[]): string | undefined =>
  policies.find(({ isDefault }) => isDefault)?.name

/** The default policy of a database. @throws if there is no such database, or whoever asks may not read it */
export const defaultPolicy = async (api: Api): Promise<string | undefined> =>
  defaultOf(await policiesOf(api, api.server.database))

/** @returns the changes, and the policy that the collector writes to */
export async function policies(api: Api, wanted: Wanted): Promise<Plan & { readonly raw: string }> {
  const { database, keepRaw, resolutions } = wanted
  const isThere = (await ask(api, 'SHOW DATABASES')).some(row => row['name'] === database)
  const found = isThere ? await policiesOf(api, database) : []
  const raw = wanted.policy ?? defaultOf(found) ?? FIRST
  if (resolutions.some(({ name }) => name === raw))
    throw new Error(
      `retention policy ${name(raw)} of database ${name(database)} is that of a coarser series, and cannot be the collector's too: correct --influx-retention-policy, or make another policy the default`,
    )
  const created = `DURATION ${durationText(keepRaw)} REPLICATION 1`
  const made = isThere
    ? []
    : [statement(api, `CREATE DATABASE ${name(database)} WITH ${created} NAME ${name(raw)}`)]
  const needed = [
    ...(isThere ? [{ name: raw, keep: keepRaw, flag: '--keep-raw' }] : []),
    ...resolutions.filter(isOn).map(({ name, keep, flag }) => ({ name, keep: keep!, flag })),
  ]
  const changed = await Promise.all(
    needed.map(async policy => {
      const present = found.find(({ name }) => name === policy.name)
      if (present && present.keep === policy.keep) return []
      if (present && !wanted.shorten) await refuseLoss(api, wanted, policy, present)
      const rest = `ON ${name(database)} DURATION ${durationText(policy.keep)}`
      const text = present
        ? `ALTER RETENTION POLICY ${name(policy.name)} ${rest}`
        : `CREATE RETENTION POLICY ${name(policy.name)} ${rest} REPLICATION 1`
      const was = present ? ` -- was ${present.keep === undefined ? 'unknown' : inWords(present.keep)}` : ''
      return [{ ...statement(api, text), shows: text + was }]
    }),
  )
  const isNew = resolutions.some(one => isOn(one) && !found.some(({ name }) => name === one.name))
  const off = resolutions
    .filter(resolution => !isOn(resolution) && found.some(({ name }) => name === resolution.name))
    .map(
      ({ name: policy }) =>
        `retention policy ${name(policy)} is off: it gets no more points and keeps those it has until they expire; DROP RETENTION POLICY ${name(policy)} ON ${name(database)} deletes them`,
    )
  return {
    raw,
    steps: [...made, ...changed.flat()],
    notes: [...off, ...(isThere && isNew ? [NEW_SERIES] : [])],
  }
}

/** @throws if the new retention would delete at once what the policy holds */
async function refuseLoss(
  api: Api,
  { database, now }: Wanted,
  policy: { readonly name: string; readonly keep: number; readonly flag: string },
  present: Policy,
): Promise<void> {
  const shards = await ask(api, 'SHOW SHARDS')
  const lost = shards.filter(
    row =>
      row['database'] === database &&
      row['retention_policy'] === policy.name &&
      Date.parse(String(row['end_time'])) / 1000 <= now - policy.keep,
  )
  if (lost.length === 0) return
  const days = lost
    .flatMap(row => [row['start_time'], row['end_time']])
    .map(time => String(time).slice(0, 10))
  const [first] = days.toSorted()
  const last = days.toSorted().at(-1)
  const kept = present.keep === undefined ? 'another time' : inWords(present.keep)
  throw new Error(
    `retention policy ${name(policy.name)} of database ${name(database)} keeps ${kept} and has data from ${first} to ${last} that ${durationText(policy.keep)} would delete: give --shorten to delete it, or a longer ${policy.flag}`,
  )
}
