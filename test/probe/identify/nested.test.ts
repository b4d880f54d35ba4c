/** Containers within containers, and those that only their network tells. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { Identifier } from '../../../probe/identify/identify.ts'
import { netnsOf } from '../../../probe/identify/process.ts'
import type { Described, Running } from '../../../probe/identify/source.ts'
import { createNetns, inNetns } from '../../harness/netns.ts'
import { start } from '../../harness/process.ts'
import { needs } from '../../harness/skip.ts'
import { cgroupPath, flow, pathIn, pathRecord, processLayout, tcpFlow } from './records.ts'

const [INNER, OUTER] = ['a'.repeat(64), 'b'.repeat(64)]
const POD = { uid: 'u', name: 'web-0', namespace: 'shop' }

function identifierOf(known: Record<string, Described>, running: Running[] = []) {
  const source = { find: (id: string) => known[id], running: () => running }
  return new Identifier(cgroupPath, processLayout, source)
}

t.test('a container without a name has that of the container around it', async t => {
  const nameIn = (known: Record<string, Described>, path: string) => {
    const identifier = identifierOf(known)
    identifier.learn(pathRecord(1, path))
    return identifier.namesOf(tcpFlow, flow(1)).containers[INNER]?.name
  }
  const outer = { [OUTER]: { name: 'dind' } }
  t.equal(nameIn(outer, `/docker/${OUTER}/docker/${INNER}`), 'dind')
  t.equal(nameIn({ ...outer, [INNER]: { name: 'job' } }, `/docker/${OUTER}/docker/${INNER}`), 'job')
  t.equal(nameIn({ ...outer, [INNER]: { sandbox: true } }, `/docker/${OUTER}/docker/${INNER}`), undefined)
  t.equal(nameIn({}, `/docker/${OUTER}/docker/${INNER}`), undefined, 'nobody knows either')
  t.equal(nameIn({}, `/lxc.payload.ci/docker/${INNER}`), 'ci')
  t.equal(nameIn({}, `/machine.slice/machine-web.scope/payload/system.slice/docker-${INNER}.scope`), 'web')
  const twice = `/lxc/ci/docker/${OUTER}/docker/${INNER}`
  t.equal(nameIn({}, twice), 'ci', 'two levels up')
})

t.test("a container in a pod's network is the pod's", { skip: needs('root', 'netns') }, async t => {
  const netns = await createNetns()
  const child = start(inNetns(netns.path, ['sh', '-c', 'echo ready; exec cat']))
  t.teardown(async () => {
    await child.close()
    await netns.close()
  })
  await child.line(/^ready/)
  const inode = netnsOf('/proc', child.pid)!
  // a container has a cgroup of its own when its id stands in the path of its process's cgroup
  const own = pathIn(readFileSync(`/proc/${child.pid}/cgroup`, 'utf8')).slice(1) || '/'
  const running = [{ id: own, pid: child.pid }]
  const names = (known: Record<string, Described>, at: number) => {
    const identifier = identifierOf({ [own]: { name: 'app', pod: POD }, ...known }, running)
    identifier.learn(pathRecord(1, `/docker/${INNER}`))
    return identifier.namesOf(tcpFlow, flow(1, at))
  }
  t.match(names({}, inode), {
    containers: { [INNER]: { runtime: 'docker', pod: 'u' } },
    pods: { u: { name: 'web-0' } },
  })
  t.notOk(
    names({ [INNER]: { name: 'web' } }, inode).containers[INNER]?.pod,
    'one that has a name is nobody else',
  )
  t.notOk(names({}, inode + 1).containers[INNER]?.pod, 'another network')
  t.notOk(names({}, netnsOf('/proc', 1)!).containers[INNER]?.pod, "the host's network")
})
