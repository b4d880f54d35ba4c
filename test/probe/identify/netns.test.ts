/** With real network namespaces and processes; podman's containers are in runtimes.test.ts. */

import t from 'tap'
import { NetnsOwners } from '../../../probe/identify/netns.ts'
import { netnsOf } from '../../../probe/identify/process.ts'
import type { Described, Running } from '../../../probe/identify/source.ts'
import { createNetns, inNetns } from '../../harness/netns.ts'
import { start } from '../../harness/process.ts'
import { needs } from '../../harness/skip.ts'

t.test('who has a network namespace', { skip: needs('root', 'netns') }, async t => {
  const netns = await createNetns()
  const child = start(inNetns(netns.path, ['sh', '-c', 'echo ready; exec cat']))
  t.teardown(async () => {
    await child.close()
    await netns.close()
  })
  await child.line(/^ready/)
  const inode = netnsOf('/proc', child.pid)!
  const own = netnsOf('/proc', 'self')!
  const owners = (running: Running[], known: Record<string, Described> = {}) =>
    new NetnsOwners({ find: id => known[id], running: () => running }, '/proc', () => performance.now())
  const of = (...ids: string[]) => ids.map(id => ({ id, pid: child.pid }))

  t.equal(owners(of('web')).find(inode), 'web')
  t.equal(owners(of('web')).find(inode + 1), undefined)
  t.ok(owners([]).isHost(own) || netnsOf('/proc', 1) !== own)
  t.equal(owners([{ id: 'web', pid: process.pid }]).find(own), undefined, "the host's is nobody's")
  t.equal(owners([{ id: 'web', pid: 0 }]).find(inode), undefined, 'a process that nobody told')
  t.equal(owners(of('web', 'side')).find(inode), undefined, 'two containers, one namespace: nobody can tell')
  const infra = { infra: { sandbox: true } }
  t.equal(owners(of('infra', 'web'), infra).find(inode), 'web', 'a pod of one container')
  t.equal(
    owners(of('infra', 'web', 'side'), infra).find(inode),
    'infra',
    'a pod of two: its sandbox stands for them',
  )
})

t.test('a container in a cgroup of its own needs no namespace', async t => {
  const source = { find: () => undefined, running: () => [{ id: '/', pid: process.pid }] }
  t.equal(new NetnsOwners(source, '/proc', () => 0).find(netnsOf('/proc', 'self')!), undefined)
})
