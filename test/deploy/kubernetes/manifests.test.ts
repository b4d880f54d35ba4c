/** The manifests: what kustomize makes of them has only fields of the Kubernetes API, and what security asks for. */

import { globSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { KINDS } from '../../../collector/cluster/kinds.ts'
import { collectorSettings } from '../../../collector/options.ts'
import { probeSettings } from '../../../probe/options.ts'
import { variables } from '../../../wire/settings/settings.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { build, type Resource } from '../../harness/kubernetes/kustomize.ts'
import { MANIFESTS, overlays } from '../../harness/kubernetes/overlays.ts'
import type { PodTemplate } from '../../harness/kubernetes/template.ts'
import { REPOSITORY } from '../../harness/repository.ts'
import { ended } from '../../harness/sockflux.ts'

/** Where kubernetes-types, made from the API's OpenAPI description, has the type of each kind. */
const TYPES: Readonly<Record<string, string>> = {
  'apps/v1 DaemonSet': 'apps/v1',
  'apps/v1 StatefulSet': 'apps/v1',
  'v1 Namespace': 'core/v1',
  'v1 Secret': 'core/v1',
  'v1 Service': 'core/v1',
  'v1 ServiceAccount': 'core/v1',
  'rbac.authorization.k8s.io/v1 ClusterRole': 'rbac/v1',
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': 'rbac/v1',
}

interface Role {
  readonly rules: readonly {
    readonly apiGroups: readonly [string]
    readonly resources: readonly string[]
    readonly verbs: readonly string[]
  }[]
}
interface Binding {
  readonly roleRef: object
  readonly subjects: readonly object[]
}

const cleanup = new Cleanup()
t.teardown(() => cleanup.close())
const resources = Object.fromEntries(
  (await overlays(cleanup)).map(folder => [basename(folder), build(folder)]),
)
const podOf = (resource: Resource): PodTemplate | undefined =>
  (resource as unknown as { spec?: { template?: { spec: PodTemplate } } }).spec?.template?.spec
const pods = Object.entries(resources).flatMap(([overlay, all]) =>
  all.flatMap(resource => {
    const pod = podOf(resource)
    return pod ? [{ name: `${overlay}: ${resource.metadata.name}`, pod }] : []
  }),
)

/** A program that compiles only when every field is known and has the right type. */
function program(all: readonly Resource[]): string {
  return all
    .map((resource, index) => {
      const [kind, place] = [resource.kind, TYPES[`${resource.apiVersion} ${resource.kind}`]]
      return `import type { ${kind} as T${index} } from 'kubernetes-types/${place}'\nexport const r${index}: T${index} = ${JSON.stringify(resource)}`
    })
    .join('\n')
}

const compiled = async (name: string, text: string) => {
  const folder = join(REPOSITORY, 'build/test/manifests', name)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'all.ts'), text)
  const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, module: 'preserve', types: [] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['all.ts'] }))
  return ended([join(REPOSITORY, 'node_modules/.bin/tsc'), '--project', folder], {}, 120_000)
}

t.test('the fields are those of the API', async t => {
  const all = Object.values(resources).flat()
  for (const { apiVersion, kind } of all) t.ok(TYPES[`${apiVersion} ${kind}`], `${apiVersion} ${kind}`)
  t.match(await compiled('all', program(all)), { code: 0, stdout: '' })
  const [wrong] = structuredClone(all.filter(({ kind }) => kind === 'DaemonSet'))
  ;(podOf(wrong!) as unknown as Record<string, unknown>)['hostPid'] = true
  t.match(
    await compiled('wrong', program([wrong!])),
    { stdout: /'"hostPid"' does not exist/ },
    'the check sees a typo',
  )
})

t.test('no pod is privileged, all drop what they do not name', async t => {
  t.equal(pods.length, 19)
  for (const { name, pod } of pods) {
    const asksApi = name.includes('-cluster: sockflux-collector')
    t.match(pod, { automountServiceAccountToken: asksApi, enableServiceLinks: false }, name)
    for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
      const { securityContext } = container
      t.match(
        securityContext,
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        `${name} ${container.name}`,
      )
      t.not(securityContext?.privileged, true)
      t.equal({ ...pod.securityContext, ...securityContext }.seccompProfile?.type, 'RuntimeDefault')
      t.match(container.image, /^sockflux:\d/)
    }
  }
})

t.test('the collector may list and watch what it follows, and nothing else', async t => {
  const all = resources['influxdb-cluster']!
  const [role] = all.filter(({ kind }) => kind === 'ClusterRole') as unknown as [Role]
  const given = role.rules.flatMap(({ apiGroups: [group], resources, verbs }) =>
    resources.map(resource => `${group} ${resource} ${verbs.join(' ')}`),
  )
  const wanted = Object.values(KINDS).map(({ group, resource }) => {
    return `${group.includes('/') ? group.split('/', 1)[0] : ''} ${resource} list watch`
  })
  t.same(given.sort(), wanted.sort())
  const [binding] = all.filter(({ kind }) => kind === 'ClusterRoleBinding') as unknown as [Binding]
  t.match(binding, { roleRef: { name: 'sockflux-collector' } })
  t.same(binding.subjects, [{ kind: 'ServiceAccount', name: 'sockflux-collector', namespace: 'sockflux' }])
})

t.test('what belongs to the node is mounted read-only, but for the store', async t => {
  for (const { name, pod } of pods)
    for (const { hostPath, name: volume } of pod.volumes ?? [])
      for (const container of pod.containers)
        for (const mount of container.volumeMounts ?? [])
          if (hostPath && mount.name === volume && hostPath.path !== '/var/lib/sockflux')
            t.equal(mount.readOnly, true, `${name} ${mount.mountPath}`)
})

t.test('every volume and variable exists', async t => {
  const known = [probeSettings, collectorSettings].flatMap(table =>
    Object.entries(table).flatMap(([name, row]) => variables(name, row)),
  )
  for (const { name, pod } of pods)
    for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
      for (const { name: variable } of container.env ?? [])
        t.ok(known.includes(variable), `${name} ${variable}`)
      for (const { name: volume } of container.volumeMounts ?? [])
        t.ok(
          [...(pod.volumes ?? []), { name: 'store' }].some(({ name }) => name === volume),
          `${name} ${volume}`,
        )
    }
})

t.test('nothing is in the folder that no kustomization names', async t => {
  const named = globSync('*/kustomization.yaml', { cwd: MANIFESTS }).flatMap(path => {
    const { resources = [], patches = [] } = parse(readFileSync(join(MANIFESTS, path), 'utf8'))
    return [...resources, ...patches.map(({ path }: { path: string }) => path)]
      .filter((name: string) => name.endsWith('.yaml'))
      .map((name: string) => join(path, '..', name))
  })
  t.same(
    globSync('*/*.yaml', { cwd: MANIFESTS })
      .filter(path => !path.endsWith('kustomization.yaml'))
      .sort(),
    named.sort(),
  )
})
