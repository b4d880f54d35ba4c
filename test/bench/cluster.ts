/** Facts of a cluster with 10,000 pods and 1,000 Services: start and memory, from an API server and from files. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { Cleanup } from '../harness/cleanup.ts'
import { ApiServer, type Thing } from '../harness/kubernetes/api_server.ts'
import { node, owned, pod, service, slice } from '../harness/kubernetes/objects.ts'
import { run } from '../harness/process.ts'
import { scratch } from '../harness/scratch.ts'

const [PODS, SERVICES, NODES, REPLICA_SETS] = [10_000, 1000, 200, 3000]
const addressOf = (at: number): string => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`
/** Of managedFields, environment, volumes, conditions: a pod of a real cluster has some 8 KB. */
const REST = 'x'.repeat(7000)

function* things(): Generator<[kind: 'Pod' | 'Node' | 'ReplicaSet' | 'Service' | 'EndpointSlice', Thing]> {
  for (let at = 0; at < NODES; at++)
    yield ['Node', node(`node-${at}`, `192.168.${at >> 8}.${at & 255}`, { zone: `zone-${at % 3}` })]
  for (let at = 0; at < REPLICA_SETS; at++)
    yield ['ReplicaSet', owned('ReplicaSet', `app-${at}-5d9f7c`, ['Deployment', `app-${at}`])]
  for (let at = 0; at < PODS; at++) {
    const app = at % REPLICA_SETS
    const labels = {
      app: `app-${app}`,
      'pod-template-hash': '5d9f7c',
      version: '1.2.3',
      team: `team-${app % 20}`,
    }
    const given = {
      name: `app-${app}-5d9f7c-${at}`,
      uid: `5b1c6d6e-0000-4000-8000-${String(at).padStart(12, '0')}`,
    }
    const owner = ['ReplicaSet', `app-${app}-5d9f7c`] as const
    const one = pod({ ...given, ip: addressOf(at), node: `node-${at % NODES}`, owner, labels })
    yield ['Pod', { ...one, metadata: { ...one.metadata, managedFields: [{ fieldsV1: REST }] } }]
  }
  for (let at = 0; at < SERVICES; at++) {
    const ports = [
      { name: 'http', port: 80 },
      { name: 'metrics', port: 9090 },
    ]
    yield ['Service', service(`app-${at}`, `10.96.${at >> 8}.${at & 255}`, ports)]
    const pods = Array.from({ length: 10 }, (_, of) => addressOf((at * 10 + of) % PODS))
    yield ['EndpointSlice', slice(`app-${at}-x`, `app-${at}`, pods, ports)]
  }
}

interface Measured {
  readonly seconds: number
  readonly cpu: number
  readonly heap: number
  readonly most: number
  readonly before: number
  readonly perSecond: number
}

export async function benchCluster(): Promise<string[][]> {
  const cleanup = new Cleanup()
  try {
    const directory = await scratch(cleanup, 'cluster')
    const api = await ApiServer.start({
      teardown: (end: () => unknown) => cleanup.defer(async () => void (await end())),
    })
    const lists: Record<string, Thing[]> = {}
    for (const [kind, thing] of things()) {
      api.set(kind, thing)
      lists[kind] = [...(lists[kind] ?? []), thing]
    }
    const config = join(directory, 'config')
    const named = { contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }], 'current-context': 'x' }
    const clusters = [{ name: 'x', cluster: { server: api.url } }]
    writeFileSync(config, stringify({ ...named, clusters, users: [{ name: 'x', user: {} }] }))
    const files = await scratch(cleanup, 'manifests')
    for (const [kind, items] of Object.entries(lists))
      writeFileSync(join(files, `${kind}.json`), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    const what = `${PODS.toLocaleString('en')} pods, ${SERVICES.toLocaleString('en')} Services, ${REPLICA_SETS.toLocaleString('en')} ReplicaSets, ${NODES} nodes`
    return [
      [`${what}, from an API server`, said(await measured(config))],
      [`${what}, from a directory of JSON`, said(await measured(files))],
    ]
  } finally {
    await cleanup.close()
  }
}

async function measured(from: string): Promise<Measured> {
  const reader = join(import.meta.dirname, 'cluster_reader.ts')
  return JSON.parse(await run([process.execPath, '--expose-gc', reader, from, String(PODS)])) as Measured
}

const said = ({ seconds, cpu, heap, most, before, perSecond }: Measured): string =>
  `all known after ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of CPU with the start of Node.js), ${heap.toFixed(0)} MB of heap kept, ${most.toFixed(0)} MB resident at most (${before.toFixed(0)} before), ${(perSecond / 1e6).toFixed(1)} million look-ups of addresses a second`
