/** A bucket for the windows and one for each resolution. */

import { durationText, inWords } from '../../duration.ts'
import type { Api } from '../api.ts'
import { NEW_SERIES } from '../backfill.ts'
import type { Plan } from '../step.ts'
import { isOn, type Wanted } from '../wanted.ts'
import { bucketOf } from './flux.ts'
import { all, bucket, type Ids, request } from './server.ts'

/** @param ids gets the ids of the buckets, by name */
export async function buckets(api: Api, wanted: Wanted, org: string, ids: Ids): Promise<Plan> {
  const found = await all(api, '/api/v2/buckets', 'buckets', bucket, { orgID: org }, ({ id }) => ({
    after: id,
  }))
  const needed = [
    { name: wanted.database, keep: wanted.keepRaw },
    ...wanted.resolutions
      .filter(isOn)
      .map(resolution => ({ name: bucketOf(wanted.database, resolution), keep: resolution.keep! })),
  ]
  const steps = needed.flatMap(({ name, keep }) => {
    const present = found.find(bucket => bucket.name === name)
    const retentionRules = [{ type: 'expire', everySeconds: Number.isFinite(keep) ? keep : 0 }]
    if (!present) {
      const body = { orgID: org, name, retentionRules }
      const what = `create bucket "${name}"`
      const made = ({ id }: { id: string }) => void ids.set(name, id)
      return [request(api, what, 'POST', '/api/v2/buckets', () => body, ids, made)]
    }
    ids.set(name, present.id)
    const before = present.retentionRules[0]?.everySeconds || Number.POSITIVE_INFINITY
    if (before === keep) return []
    if (before > keep && !wanted.shorten)
      throw new Error(
        `bucket "${name}" keeps ${inWords(before)}, and ${durationText(keep)} would delete what is older: give --shorten to delete it, or a longer retention (--keep-raw, --keep-minutes, --keep-hours)`,
      )
    const path = `/api/v2/buckets/${encodeURIComponent(present.id)}`
    const step = request(api, `alter bucket "${name}"`, 'PATCH', path, () => ({ retentionRules }), ids)
    return [{ ...step, shows: `${step.shows} -- bucket "${name}", was ${inWords(before)}`, run: step.run }]
  })
  const off = wanted.resolutions
    .filter(resolution => !isOn(resolution))
    .map(resolution => bucketOf(wanted.database, resolution))
    .filter(name => found.some(bucket => bucket.name === name))
  const isThere = (bucketName: string) => found.some(({ name }) => name === bucketName)
  const isNew = isThere(wanted.database) && needed.some(({ name }) => !isThere(name))
  return {
    steps,
    notes: [
      ...off.map(
        name =>
          `bucket "${name}" is off: it gets no more points and keeps those it has until they expire; influx bucket delete deletes them`,
      ),
      ...(isNew ? [NEW_SERIES] : []),
    ],
  }
}
