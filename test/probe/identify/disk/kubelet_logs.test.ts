import { mkdir, rm, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { KubeletLogs } from '../../../../probe/identify/disk/kubelet_logs.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { scratch } from '../../../harness/scratch.ts'

const UID = '404bd273-57bc-4508-a386-e2b76d3c9cfe'
const ID = '3aaaa76f09e1de6bb75e84f9c15b737a2d590f69757953e3ec262bd5861dc15b'
const POD = { uid: UID, name: 'web-0.blue', namespace: 'shop' }
const path = { container: ID, runtime: 'cri', pod: UID }

async function logs(t: Test): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'logs')
  await mkdir(join(directory, `pods/shop_web-0.blue_${UID}/main-app`), { recursive: true })
  await mkdir(join(directory, 'containers'))
  return directory
}

const link = (directory: string, id: string) =>
  symlink(
    `/var/log/pods/shop_web-0.blue_${UID}/main-app/0.log`,
    join(directory, `containers/web-0.blue_shop_main-app-${id}.log`),
  )

t.test('a link names container and pod', async t => {
  const directory = await logs(t)
  await link(directory, ID)
  const source = new KubeletLogs(['/nonexistent', directory])
  t.same(source.find(ID), { name: 'main-app', pod: POD }, 'its target has the UID')
  t.same(source.running(), [])
})

t.test('the directory of a pod names the pod of a container without a link', async t => {
  const source = new KubeletLogs([await logs(t)])
  t.same(source.find(ID, path), { pod: POD })
  t.equal(source.find(ID), undefined)
  t.equal(source.find(ID, { ...path, pod: 'other' }), undefined)
})

t.test('what is new or gone is seen, also where the clock of the file system stands still', async t => {
  const directory = await logs(t)
  const source = new KubeletLogs([directory])
  t.equal(source.find(ID), undefined)
  await link(directory, ID)
  t.equal(source.find(ID)?.name, 'main-app')
  const long = new Date(Date.now() - 60_000)
  await utimes(join(directory, 'containers'), long, long)
  t.equal(source.find(ID)?.name, 'main-app')
  await rm(join(directory, `containers/web-0.blue_shop_main-app-${ID}.log`))
  t.equal(source.find(ID), undefined)
})

t.test('other names are passed over', async t => {
  const directory = await logs(t)
  for (const name of ['x.log', `a_b-${ID}.log`, `a_b_c_d-${ID}.log`, `a_b_c-${ID}.txt`])
    await symlink('/nowhere', join(directory, 'containers', name))
  t.equal(new KubeletLogs([directory]).find(ID), undefined)
})
