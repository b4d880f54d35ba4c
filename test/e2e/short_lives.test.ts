/** Containers that are gone before anybody could ask who they were. */

import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { createNetns } from '../harness/netns.ts'
import { run, start } from '../harness/process.ts'
import { type Runc, startRunc } from '../harness/runc.ts'
import { needs } from '../harness/skip.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { windowNow } from '../harness/windows.ts'

const skip = needs('root', 'bpf', 'netns', 'gcc', 'runc')
const CONTAINERS = 200
/** More of them are no faster on two cores. */
const AT_ONCE = 4
const NAMESPACE = 'batch'
const NAME = 'work'

interface Job {
  readonly id: string
  readonly uid: string
  /** Of its pod; the container in it is called NAME. */
  readonly pod: string
  /** Kubelet leaves logs, and they tell the names; else the runtime's bundle does. */
  readonly logged: boolean
}

const newJob = (pod: string, logged = false): Job => {
  return { id: randomBytes(32).toString('hex'), uid: randomUUID(), pod, logged }
}

/** As kubelet leaves them: the directory before the container starts, the link right after. */
async function runLogged(logs: string, { id, uid, pod }: Job, command: readonly string[]): Promise<void> {
  const directory = join('pods', `${NAMESPACE}_${pod}_${uid}`, NAME)
  await mkdir(join(logs, directory), { recursive: true })
  const link = join(logs, 'containers', `${pod}_${NAMESPACE}_${NAME}-${id}.log`)
  await Promise.all([run(command), symlink(join('..', directory, '0.log'), link)])
}

/** A container as containerd has them where there are logs, else as CRI-O has them. */
function containerOf(runc: Runc, { id, uid, pod, logged }: Job, netns: string, words: readonly string[]) {
  const annotations = {
    'io.container.manager': 'cri-o',
    'io.kubernetes.container.name': NAME,
    'io.kubernetes.pod.name': pod,
    'io.kubernetes.pod.namespace': NAMESPACE,
    'io.kubernetes.pod.uid': uid,
  }
  const cgroup = `/kubepods/besteffort/pod${uid}/${logged ? '' : 'crio-'}${id}`
  return runc.container({ id, netns, words, cgroup, annotations: logged ? {} : annotations })
}

async function runAll(jobs: readonly Job[], runc: Runc, logs: string, netns: string): Promise<void> {
  const waiting = [...jobs]
  const some = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const command = await containerOf(runc, job, netns, ['client', 'churn 1 127.0.0.1 8000', 'quit'])
      await (job.logged ? runLogged(logs, job, command) : run(command))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, some))
}

/** The samples of a measurement that tell of flows, once the last window is there. */
async function samplesOf(site: Site, measurement: string, last: number) {
  const written = `select * from "host:num_flows" where epoch(time) = ${last}`
  await until(`window ${last}`, async () => (await site.query(written).catch(() => [])).length > 0, 20_000)
  return site.query(`select *, epoch(time) as second from "${measurement}"
    where as_client + as_server > 0 and epoch(time) <= ${last} order by time`)
}

t.test('200 containers of a moment, a connection each', { skip }, async t => {
  const jobs = Array.from({ length: CONTAINERS }, (_, index) => newJob(`job-${index}`, index % 2 === 0))
  const runc = await startRunc()
  t.teardown(() => runc.close())
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const service = newJob('service-0')
  const server = start(await containerOf(runc, service, netns.path, ['server', '127.0.0.1', '8000']))
  t.teardown(() => server.close())
  await server.line(/listening/)
  const site = await openSite()
  t.teardown(() => site.close())
  const logs = join(site.directory, 'log')
  await mkdir(join(logs, 'containers'), { recursive: true })
  await site.collector()
  await site.probe(['--oci-state', runc.root, '--kubelet-logs', logs])
  const first = windowNow() + 1
  await until('the first whole window', () => windowNow() >= first)

  const startedMs = performance.now()
  await runAll(jobs, runc, logs, netns.path)
  const meanMs = ((performance.now() - startedMs) * AT_ONCE) / CONTAINERS
  t.comment(`${meanMs.toFixed()} ms a container, ${AT_ONCE} at once`)
  t.match(await server.ask('stats'), { accepted: CONTAINERS, open: 0 })
  const last = windowNow() + 1

  const samples = await samplesOf(site, 'container:num_flows', last)
  const byContainer = Map.groupBy(samples, ({ container }) => String(container))
  const of = ({ id }: Job) => byContainer.get(shortId(id)) ?? []
  t.same(
    jobs.filter(job => of(job).length === 0),
    [],
    'each container has its flow',
  )
  // A flow that lives over the end of a window is in both.
  const hasOne = (job: Job) => {
    const windows = of(job).map(({ second }) => Number(second))
    const isOne = of(job).every(sample => sample['as_client'] === 1 && sample['as_server'] === 0)
    return isOne && (windows.length === 1 || (windows.length === 2 && windows[0]! + 1 === windows[1]))
  }
  t.same(jobs.filter(job => !hasOne(job)).map(of), [], 'and no other')
  const served = of(service).map(sample => Number(sample['as_server']))
  const sum = served.reduce((sum, flows) => sum + flows, 0)
  const most = CONTAINERS + AT_ONCE * (served.length - 1)
  t.ok(sum >= CONTAINERS && sum <= most, `${sum} flows of the service in ${served.length} windows`)

  const names = (job: Job) =>
    of(job).map(sample => ['container_name', 'pod', 'namespace'].map(tag => sample[tag]))
  const isNamed = (job: Job) =>
    names(job).every(([name, pod, namespace]) => name === NAME && pod === job.pod && namespace === NAMESPACE)
  t.same(jobs.filter(job => job.logged && !isNamed(job)).map(names), [], 'names by the logs')
  t.same(jobs.filter(job => !job.logged && !isNamed(job)).map(names), [], 'names by the bundles')
  const pods = Map.groupBy(await samplesOf(site, 'pod:num_flows', last), ({ pod }) => String(pod))
  const hasPod = ({ pod }: Job) =>
    pods.get(pod)?.every(sample => sample['as_client'] === 1 && sample['namespace'] === NAMESPACE)
  t.same(
    jobs.filter(job => !hasPod(job)),
    [],
    'and their pods',
  )
  t.same(await site.losses(), {}, 'nothing was lost')
})
