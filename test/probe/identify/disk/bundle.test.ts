/** What containerd keeps on disk, fabricated: shapes as containerd 1.6 writes them (pkg/cri/annotations). */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Bundles } from '../../../../probe/identify/disk/bundle.ts'

const WEB = 'a'.repeat(64)
const PAUSE = 'b'.repeat(64)
const CRI = 'io.kubernetes.cri.'
const pod = {
  [`${CRI}sandbox-name`]: 'web-0',
  [`${CRI}sandbox-namespace`]: 'shop',
  [`${CRI}sandbox-id`]: PAUSE,
}
const uid = { [`${CRI}sandbox-uid`]: 'u-1' }
const web = {
  ...pod,
  ...uid,
  [`${CRI}container-type`]: 'container',
  [`${CRI}container-name`]: 'web',
  [`${CRI}image-name`]: 'docker.io/library/nginx:1.27',
}

type Test = { teardown(undo: () => void): void }

/** A host with one state directory of containerd and a procfs of its own. */
function host(t: Test) {
  const root = mkdtempSync(join(tmpdir(), `sockflux-bundle-${process.pid}-`))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const [state, proc] = [join(root, 'state'), join(root, 'proc')]
  const pathOf = (id: string, namespace = 'k8s.io') =>
    join(state, 'io.containerd.runtime.v2.task', namespace, id)
  return {
    bundles: new Bundles([join(root, 'none'), state], proc),
    /** Files of a bundle; what is undefined is not there. */
    put(id: string, pid: string | undefined, config: string | undefined, namespace?: string): void {
      const path = pathOf(id, namespace)
      mkdirSync(path, { recursive: true })
      if (pid !== undefined) writeFileSync(join(path, 'init.pid'), pid)
      if (config !== undefined) writeFileSync(join(path, 'config.json'), config)
    },
    remove: (id: string) => rmSync(pathOf(id), { recursive: true }),
    start(pid: number, cgroup: string): void {
      mkdirSync(join(proc, String(pid)), { recursive: true })
      writeFileSync(join(proc, String(pid), 'cgroup'), `0::${cgroup}\n`)
    },
    stop: (pid: number) => rmSync(join(proc, String(pid)), { recursive: true }),
  }
}
const annotated = (annotations: object) =>
  JSON.stringify({ ociVersion: '1.0.2', process: { args: ['/pause'] }, hostname: 'web-0', annotations })
const ids = (bundles: Bundles) => bundles.running().map(({ id }) => id)

t.test('annotations name container, image and pod, and tell the sandbox', async t => {
  const { bundles, put } = host(t)
  put(WEB, '4711\n', annotated(web))
  put(PAUSE, '4700', annotated({ ...pod, ...uid, [`${CRI}container-type`]: 'sandbox' }))
  const names = { uid: 'u-1', name: 'web-0', namespace: 'shop' }
  t.same(bundles.find(WEB), {
    id: WEB,
    pid: 4711,
    runtime: 'containerd',
    name: 'web',
    image: 'docker.io/library/nginx:1.27',
    pod: names,
  })
  t.same(bundles.find(PAUSE), { id: PAUSE, pid: 4700, runtime: 'containerd', sandbox: true, pod: names })
  t.equal(bundles.find('c'.repeat(64)), undefined)
})

t.test('an older containerd notes no UID: the sandbox stands for the pod', async t => {
  const { bundles, put } = host(t)
  put(WEB, '1', annotated({ ...web, [`${CRI}sandbox-uid`]: undefined }))
  t.equal(bundles.find(WEB)?.pod?.uid, PAUSE)
})

t.test("docker's containers and those of ctr lie in namespaces of their own", async t => {
  const { bundles, put } = host(t)
  put(WEB, '1', annotated({}), 'moby')
  put('web', '2', annotated({}), 'default')
  t.match(bundles.find(WEB), { runtime: 'docker' })
  t.same(bundles.find('default/web'), { id: 'default/web', pid: 2, runtime: 'containerd', name: 'web' })
  t.equal(bundles.find('web'), undefined)
  t.ok(bundles.isNamed('default', 'web'))
  t.notOk(bundles.isNamed('moby', 'web'))
})

t.test('a bundle that is not complete yet is none, and found when it is', async t => {
  const { bundles, put } = host(t)
  put(WEB, undefined, annotated(web))
  t.equal(bundles.find(WEB), undefined)
  for (const pid of ['', '0', '-1', '1.5', 'x']) {
    put(WEB, pid, undefined)
    t.equal(bundles.find(WEB), undefined, `pid ${pid}`)
  }
  put(WEB, '7', annotated(web).slice(0, -5))
  t.equal(bundles.find(WEB), undefined, 'half a config.json')
  put(WEB, '7', annotated(web))
  t.match(bundles.find(WEB), { name: 'web' })
})

t.test('annotations that are none are no names', async t => {
  const { bundles, put } = host(t)
  const configs = ['null', '7', '{}', '{"annotations":null}', '{"annotations":["x"]}']
  for (const [index, config] of configs.entries()) {
    const id = String(index).repeat(64)
    put(id, '1', config)
    t.same(bundles.find(id), { id, pid: 1, runtime: 'containerd' }, config)
  }
  put(WEB, '1', annotated({ [`${CRI}container-name`]: 7, [`${CRI}sandbox-name`]: {} }))
  t.same(bundles.find(WEB), { id: WEB, pid: 1, runtime: 'containerd' })
})

t.test('running is what has its first process, not one that was given its number', async t => {
  const { bundles, put, start, stop } = host(t)
  put(WEB, '7', annotated(web))
  t.same(ids(bundles), [], 'no process')
  start(7, `/kubepods/burstable/podu-1/${WEB}`)
  t.same(ids(bundles), [WEB])
  start(7, '/system.slice/cron.service')
  t.same(ids(bundles), [])
  start(7, `/kubepods.slice/cri-containerd-${WEB}.scope`)
  t.same(ids(bundles), [WEB])
  stop(7)
  t.same(ids(bundles), [])
})

t.test('a container that was started again runs by its new process', async t => {
  const { bundles, put, start, stop } = host(t)
  put(WEB, '7', annotated(web))
  start(7, `/docker/${WEB}`)
  t.same(ids(bundles), [WEB])
  stop(7)
  put(WEB, '8', annotated(web))
  start(8, `/docker/${WEB}`)
  t.match(bundles.running(), [{ id: WEB, pid: 8 }])
})

t.test('a name outlives its bundle until the window ends, and no longer', async t => {
  const { bundles, put, remove } = host(t)
  put(WEB, '7', annotated(web))
  bundles.find(WEB)
  remove(WEB)
  t.match(bundles.find(WEB), { name: 'web' })
  t.same(bundles.running(), [])
  t.equal(bundles.find(WEB), undefined)
})
