/** What a user applies: the overlays, alone and with the component of another runtime or of the cluster's facts, as docs/install.md says, with keys. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { Cleanup } from '../cleanup.ts'
import { REPOSITORY } from '../repository.ts'
import { scratch } from '../scratch.ts'

export const MANIFESTS = join(REPOSITORY, 'deploy/kubernetes')
const OVERLAYS = ['one-node', 'influxdb', 'prometheus']
const RUNTIMES = ['k3s', 'cri-o']
/** Those with a collector for all probes. */
const CLUSTERS = ['influxdb', 'prometheus']
/** `sockflux keys` makes them. */
const KEYS = ['collector.key', 'allowed', 'probe.key', 'collector.pub']

/** @returns folders with a kustomization */
export async function overlays(cleanup: Cleanup): Promise<string[]> {
  const folder = join(await scratch(cleanup, 'kubernetes'), 'kubernetes')
  cpSync(MANIFESTS, folder, { recursive: true })
  for (const name of KEYS) writeFileSync(join(folder, 'keys', name), `${name}\n`)
  return OVERLAYS.flatMap(name => {
    const components = [...RUNTIMES, ...(CLUSTERS.includes(name) ? ['cluster'] : [])]
    const overlay = join(folder, name)
    return [overlay, ...components.map(component => withComponent(overlay, component))]
  })
}

function withComponent(overlay: string, component: string): string {
  const copy = `${overlay}-${component}`
  cpSync(overlay, copy, { recursive: true })
  const path = join(copy, 'kustomization.yaml')
  const { components = [], ...others } = parse(readFileSync(path, 'utf8')) as { components?: string[] }
  writeFileSync(path, stringify({ ...others, components: [...components, `../${component}`] }))
  return copy
}
