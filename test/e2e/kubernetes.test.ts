/** The image in containerd as the manifests ask for it: their capabilities, mounts and variables, and no other. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { TopHost } from '../../collector/view/rows.ts'
import type { Finding } from '../../probe/kernel/finding.ts'
import { setOf, threads } from '../harness/capabilities.ts'
import { imageArchive } from '../harness/debian/image.ts'
import { startPod } from '../harness/kubernetes/kubelet.ts'
import { build } from '../harness/kubernetes/kustomize.ts'
import type { ContainerTemplate, PodTemplate } from '../harness/kubernetes/template.ts'
import { type Node, startNode } from '../harness/node.ts'
import { type Container, IDLE } from '../harness/pod.ts'
import { run } from '../harness/process.ts'
import { REPOSITORY } from '../harness/repository.ts'
import { needs } from '../harness/skip.ts'
import { until } from '../harness/until.ts'
import { client, connected, serve } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'hybrid', 'containerd', 'ss', 'gcc', 'debian')
/** As kustomize names it, and containerd looks it up. */
const IMAGE = 'docker.io/library/sockflux:0.1.0'
const FLOWS = 5
const PATIENCE_MS = 60_000
/** Without it, what else has to be missing: an older kernel has CAP_SYS_ADMIN in place of these. */
const IN_PLACE: readonly string[] = ['BPF', 'PERFMON', 'NET_ADMIN']

const [daemonSet] = build(join(REPOSITORY, 'deploy/kubernetes/one-node')).filter(
  ({ kind }) => kind === 'DaemonSet',
)
const pod = (daemonSet as unknown as { spec: { template: { spec: PodTemplate } } }).spec.template.spec
const probe = pod.containers.find(({ name }) => name === 'probe')!
const mounts = pod.volumes!.filter(({ hostPath }) => hostPath).map(({ name }) => name)

/** Windows of a second; all else as in the manifest. */
const quick = (template: ContainerTemplate): ContainerTemplate => ({
  ...template,
  env: [...(template.env ?? []), { name: 'SOCKFLUX_INTERVAL', value: '1' }],
})

/** What the manifests call a node, made of a containerd of the tests. */
async function nodeOf({ containerd: { stateDir, directory } }: Node) {
  const own = join(directory, 'kubelet')
  await mkdir(own)
  const places = [
    ['/run/containerd/', `${stateDir}/`],
    ['/var/log/pods', join(directory, 'pods')],
    ['/var/lib/sockflux', join(own, 'store')],
  ] as const
  const place = (path: string) => {
    const found = places.find(([from]) => path.startsWith(from))
    return found ? path.replace(found[0], found[1]) : path
  }
  return { name: 'node-7', place, secrets: {}, directory: own }
}
type Place = Awaited<ReturnType<typeof nodeOf>>

/** What a container wrote, without the marks of its log. */
async function output({ directory }: Place, name: string): Promise<string> {
  const text = await run(['sh', '-c', `cat "$0"/pods/*/"$1"/0.log || true`, directory, name])
  return text.replace(/^\S+ std(out|err) [FP] /gm, '')
}

async function opened(t: Test) {
  const image = await imageArchive(IMAGE)
  // pure cgroup v2: there a pod has a cgroup namespace of its own
  const node = await startNode({ layout: 'v2', driver: 'cgroupfs' }, true)
  t.teardown(() => node.close())
  const { socket, snapshotter } = node.containerd
  const ctr = ['ctr', '-a', socket, '-n', 'k8s.io', 'images', 'import', '--snapshotter', snapshotter, image]
  await run(ctr, PATIENCE_MS)
  return { node, place: await nodeOf(node) }
}

async function flowsAreCounted(t: Test, node: Node, place: Place): Promise<void> {
  const workload = (name: string) =>
    node.runPod({ name, namespace: 'trade', containers: [{ name: 'main', command: IDLE }] })
  const [shop, cart] = [await workload('shop-0'), await workload('cart-0')]
  await serve(node, cart.containers.main, cart.ip, '80')
  await client(node, shop.containers.main).ask(`open 2 ${cart.ip} 80`) // older than the probe
  await connected(shop.netns, 2)
  const template = { ...pod, containers: pod.containers.map(quick) }
  const running = await startPod(node.containerd.cri, 'sockflux-probe-x', 'sockflux', template, place)
  t.teardown(() => running.close())
  const exec = async (name: string, ...words: readonly string[]) =>
    node.exec(running.containers[name]!, words)
  const told = async (): Promise<TopHost | undefined> => {
    const { stdout, exitCode } = await exec('collector', 'sockflux', 'top', '--json')
    return exitCode === 0 ? (JSON.parse(stdout) as { hosts: TopHost[] }).hosts[0] : undefined
  }
  await until('a window', async () => (await told()) !== undefined, PATIENCE_MS).catch(async error => {
    throw new Error(`${error}\n${await output(place, 'probe')}${await output(place, 'collector')}`)
  })
  await client(node, shop.containers.main).ask(`open ${FLOWS - 2} ${cart.ip} 80`)
  await connected(shop.netns, FLOWS)
  const rowOf = (host: TopHost, { id }: Container) =>
    host.containers.find(row => id.startsWith(row.id)) ?? { name: '', pod: '', asClient: 0, asServer: 0 }
  let last: TopHost | undefined
  await until(
    `${FLOWS} flows`,
    async () => {
      last = await told()
      return last !== undefined && rowOf(last, shop.containers.main).asClient >= FLOWS
    },
    PATIENCE_MS,
  ).catch(async error =>
    t.fail(`${error}\n${await output(place, 'probe')}${await output(place, 'collector')}`),
  )
  t.equal(last?.host, 'node-7', 'the host is the node')
  t.match(rowOf(last!, shop.containers.main), { name: 'main', pod: 'shop-0', asClient: FLOWS, asServer: 0 })
  t.match(rowOf(last!, cart.containers.main), { name: 'main', pod: 'cart-0', asClient: 0, asServer: FLOWS })
  for (const { name, livenessProbe } of pod.containers)
    t.match(await exec(name, ...livenessProbe!.exec!.command), { exitCode: 0 }, `${name} is alive`)
  t.match(await exec('probe', 'touch', '/usr/x'), { stderr: /Read-only file system/ })
  const { pid } = running.containers['probe']!
  const kept = setOf('bpf', 'perfmon', 'net_admin', 'sys_ptrace', 'dac_read_search')
  for (const { name, sets, noNewPrivileges } of threads(pid)) {
    t.equal(sets.effective, kept, `${name}: SYS_ADMIN is dropped after the start`)
    t.ok(noNewPrivileges)
  }
  for (const { sets } of threads(running.containers['collector']!.pid)) t.equal(sets.effective, 0n)
}

/** A doctor for each thing that is missing, all in one pod. */
async function eachIsTold(t: Test, node: Node, place: Place): Promise<void> {
  const without = (name: string, change: Partial<ContainerTemplate>): ContainerTemplate => ({
    ...probe,
    ...change,
    name: name.toLowerCase().replaceAll('_', '-'),
    args: ['doctor', '--json'],
  })
  const { add = [] } = probe.securityContext!.capabilities!
  const patients = [
    ...add.map(name => {
      const gone = IN_PLACE.includes(name) ? [name, 'SYS_ADMIN'] : [name]
      const capabilities = { drop: ['ALL'], add: add.filter(one => !gone.includes(one)) }
      return {
        template: without(name, { securityContext: { ...probe.securityContext, capabilities } }),
        line: new RegExp(`\`capabilities: \\{add: \\[.*\\b${name}\\b.*\\]\\}\``),
      }
    }),
    ...mounts
      .map(name => probe.volumeMounts!.find(mount => mount.name === name))
      .filter(mount => mount !== undefined)
      .map(({ name, mountPath }) => ({
        template: without(`no-${name}`, {
          volumeMounts: probe.volumeMounts!.filter(mount => mount.name !== name),
        }),
        line: new RegExp(`mountPath: ${mountPath.replaceAll('.', '\\.')}, readOnly: true`),
      })),
  ]
  t.equal(patients.length, 9)
  const containers = patients.map(({ template }) => template)
  const running = await startPod(
    node.containerd.cri,
    'doctor',
    'sockflux',
    { ...pod, initContainers: [], containers },
    place,
  )
  t.teardown(() => running.close())
  for (const { template, line } of patients) {
    let findings: Finding[] = []
    await until(
      `what the doctor finds without ${template.name}`,
      async () => {
        const text = await output(place, template.name)
        if (/^\]$/m.test(text)) findings = JSON.parse(text.slice(text.indexOf('['))) as Finding[]
        return findings.length > 0
      },
      PATIENCE_MS,
    )
    const lines = findings.filter(({ ok }) => ok !== true).map(({ found, remedy }) => `${found} → ${remedy}`)
    t.ok(
      lines.some(text => line.test(text)),
      `${template.name} is told, with the line to add`,
      { lines },
    )
  }
}

t.test('the DaemonSet of one node', { skip }, async t => {
  const { node, place } = await opened(t)
  await t.test('sees the pods with their names and counts', async t => flowsAreCounted(t, node, place))
  await t.test('what is missing is told, with the line to add', async t => eachIsTold(t, node, place))
})
