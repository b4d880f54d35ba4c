/** `sockflux setup grafana`: the folder that Grafana provisions itself from, for one database. */

import type { Writable } from 'node:stream'
import type { Database } from '../../../grafana/datasource.ts'
import { type ProvisioningOptions, provisioning } from '../../../grafana/provisioning.ts'
import { print } from '../../client.ts'
import { printable } from '../../printable.ts'
import { apply, compare } from './folder.ts'

export interface Asked {
  readonly folder: string
  readonly options: ProvisioningOptions
  /** What the database did not tell. */
  readonly notes?: readonly string[]
  readonly replace: boolean
  readonly dryRun: boolean
  readonly out: Writable
}

/** Variables that the data source reads from Grafana's environment: no secret is written into a file. */
const SECRETS: Readonly<Record<Database, readonly string[]>> = {
  influxdb1: ['INFLUX_USERNAME', 'INFLUX_PASSWORD'],
  influxdb2: ['INFLUX_TOKEN'],
  influxdb3: ['INFLUX_TOKEN'],
  prometheus: [],
}

/** @throws with one sentence; then nothing was written */
export async function setUpGrafana({
  folder,
  options,
  notes = [],
  replace,
  dryRun,
  out,
}: Asked): Promise<void> {
  const wanted = provisioning(options)
  const found = compare(folder, wanted)
  const { changes, foreign } = found
  if (foreign.length > 0 && !replace && !dryRun) throw new Error(inTheWay(folder, foreign))
  if (!dryRun) apply(folder, wanted, found)
  const say = (text: string) => print(out, `${printable(text)}\n`)
  for (const { path, what } of changes) {
    const isKept = what === 'remove' && foreign.includes(path)
    const whose = foreign.includes(path) ? ', which others wrote or changed' : ''
    await say(isKept ? `kept  ${path}${whose}` : `${dryRun ? 'would' : 'done'}  ${what} ${path}${whose}`)
  }
  if (dryRun && foreign.length > 0 && !replace) await say(`note  ${inTheWay(folder, foreign)}`)
  for (const note of notes) await say(`note  ${note}`)
  const variables = variablesOf(options)
  if (variables.length > 0) await say(`note  Grafana needs in its environment: ${variables.join(', ')}`)
  const { database, opensOn, policy } = options
  if (database !== 'prometheus')
    await say(
      `note  dashboards open on retention policy ${opensOn ?? policy ?? 'autogen'}; alerts ask ${policy ?? "the database's default one"}`,
    )
  await say(`note  Grafana reads ${folder} when it starts, as ${options.folder}`)
  const count = `${changes.length} ${changes.length === 1 ? 'file' : 'files'}`
  await say(
    changes.length === 0
      ? 'nothing to change'
      : `${count} ${dryRun ? 'to change; nothing was done (--dry-run)' : 'changed'}`,
  )
}

const inTheWay = (folder: string, foreign: readonly string[]): string =>
  `${foreign.length === 1 ? 'a file' : 'files'} in ${folder} that others wrote or changed would be written over: ${foreign.join(', ')}; move them away, or give --replace or another folder`

function variablesOf({ database, url, name }: ProvisioningOptions): string[] {
  const address = database === 'prometheus' ? 'PROMETHEUS_URL' : 'INFLUX_URL'
  return [
    ...(url === undefined ? [address] : []),
    ...(name === undefined && database !== 'prometheus' ? ['INFLUX_DATABASE'] : []),
    ...SECRETS[database],
  ]
}
