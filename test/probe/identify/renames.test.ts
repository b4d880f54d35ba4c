/** What is renamed while it runs has its new name from the next window on. */

import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Answer, Asked } from '../../../probe/identify/api/asked.ts'
import { DockerState } from '../../../probe/identify/disk/docker_state.ts'
import { KubeletLogs } from '../../../probe/identify/disk/kubelet_logs.ts'
import { Store } from '../../../probe/identify/disk/store.ts'
import { Identifier } from '../../../probe/identify/identify.ts'
import type { Source } from '../../../probe/identify/source.ts'
import { Sources } from '../../../probe/identify/sources.ts'
import { until } from '../../harness/until.ts'
import { cgroupPath, flow, pathRecord, processLayout, tcpFlow } from './records.ts'

const ID = 'a'.repeat(64)
const UID = '2f0e9c6e-5b7a-4a3e-9a55-0c4f7a1d2b10'

/** As the probe asks: at the end of each window for its rows, then for who runs. */
function windowsOf(source: Source, path: string) {
  let now = performance.now()
  const identifier = new Identifier(cgroupPath, processLayout, source, { now: () => now })
  identifier.learn(pathRecord(1, path))
  return () => {
    now += 1000
    const { containers, pods } = identifier.namesOf(tcpFlow, flow(1))
    identifier.running()
    return { container: containers[ID]?.name, pod: Object.values(pods)[0]?.name }
  }
}

/** As Docker does: a new file in the place of the old one, some time later. */
function write(path: string, value: unknown, secondsAgo: number): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(value))
  const time = Date.now() / 1000 - secondsAgo
  utimesSync(`${path}.tmp`, time, time)
  renameSync(`${path}.tmp`, path)
}

function dockerIn(t: Test) {
  const root = t.testdir({})
  const directory = join(root, 'containers', ID)
  mkdirSync(directory, { recursive: true })
  return { root, file: join(directory, 'config.v2.json') }
}

t.test('docker rename, from its files, and back', async t => {
  const { root, file } = dockerIn(t)
  const window = windowsOf(new DockerState([root]), `/docker/${ID}`)
  write(file, { Name: '/web-3f2a-tmp' }, 60)
  t.equal(window().container, 'web-3f2a-tmp')
  write(file, { Name: '/web' }, 40)
  window() // the one in which it was renamed
  t.equal(window().container, 'web')
  write(file, { Name: '/web-3f2a-tmp' }, 20)
  window()
  t.equal(window().container, 'web-3f2a-tmp')
})

t.test('a container whose state goes keeps its last name', async t => {
  const { root, file } = dockerIn(t)
  const window = windowsOf(new DockerState([root]), `/docker/${ID}`)
  write(file, { Name: '/web', Config: { Image: 'nginx' } }, 60)
  window()
  renameSync(file, `${file}.gone`)
  window()
  t.equal(window().container, 'web')
})

t.test('podman rename, from its store', async t => {
  const directory = t.testdir({})
  const file = join(directory, 'containers.json')
  const store = new Store()
  const window = windowsOf(
    { find: id => store.find(directory, id), running: () => [] },
    `/machine.slice/libpod-${ID}.scope/container`,
  )
  write(file, [{ id: ID, names: ['old'] }], 60)
  t.equal(window().container, 'old')
  write(file, [{ id: ID, names: ['new'] }], 30)
  window()
  t.equal(window().container, 'new')
})

t.test('a pod of another name in the logs of kubelet', async t => {
  const logs = t.testdir({ containers: {}, pods: { [`shop_web-0_${UID}`]: {} } })
  const window = windowsOf(new KubeletLogs([logs]), `/kubepods/burstable/pod${UID}/${ID}`)
  t.equal(window().pod, 'web-0')
  renameSync(join(logs, 'pods', `shop_web-0_${UID}`), join(logs, 'pods', `shop_web-1_${UID}`))
  window()
  t.equal(window().pod, 'web-1')
})

/** A runtime that has to be asked, and what it says. */
function runtime(t: Test, answer: () => Answer) {
  const ask = async () => answer()
  const asked = new Asked({ name: 'docker', gapMs: 0, exists: () => true, ask, close: () => {} })
  t.teardown(() => asked.close())
  return asked
}

const answerOf = (name: string, pod: string): Answer => ({
  containers: new Map([[ID, { name, pod: { uid: UID, name: pod, namespace: 'shop' } }]]),
  running: [{ id: ID, pid: 0 }],
})

t.test('a runtime that is asked says the new name', async t => {
  let answer = answerOf('old', 'web-0')
  const asked = runtime(t, () => answer)
  const window = windowsOf(new Sources([], [asked]), `/docker/${ID}`)
  await until('the first name', () => window().container === 'old')
  answer = answerOf('new', 'web-1')
  const questions = asked.answered
  window() // its end asks
  await until('the answer', () => asked.answered > questions)
  t.same(window(), { container: 'new', pod: 'web-1' })
})

t.test('and is asked, too, where the disk says who runs but not what it is called', async t => {
  let answer = answerOf('old', 'web-0')
  const asked = runtime(t, () => answer)
  const disk = { find: () => ({ runtime: 'docker' }), running: () => [{ id: ID, pid: 0 }] }
  const window = windowsOf(new Sources([disk], [asked]), `/docker/${ID}`)
  await until('the first name', () => window().container === 'old')
  answer = answerOf('new', 'web-1')
  const questions = asked.answered
  window()
  await until('the answer', () => asked.answered > questions)
  t.equal(window().container, 'new')
})
