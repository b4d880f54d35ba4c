/** From records of cgroups to the names of rows, and what is remembered of them. */

import t from 'tap'
import { Identifier } from '../../../probe/identify/identify.ts'
import type { Source } from '../../../probe/identify/source.ts'
import type { Layout } from '../../../wire/layout.ts'
import { cgroupPath, flow, pathRecord, processLayout, processRecord, tcpFlow } from './records.ts'

const ID = 'a'.repeat(64)
const nothing: Source = { find: () => undefined, running: () => [] }
const fresh = () => new Identifier(cgroupPath, processLayout, nothing, { now: () => 0 })

t.test('rows have the container of their cgroup in its own hierarchy', async t => {
  const identifier = fresh()
  identifier.learn(
    Buffer.concat([pathRecord(1, `/docker/${ID}`), pathRecord(2, '/system.slice/cron.service')]),
  )
  const names = identifier.namesOf(
    tcpFlow,
    Buffer.concat([flow(1), flow(2), flow(1, 0, 4), flow(9), flow(1)]),
  )
  t.same(names.cgroups, { '1:1': ID })
  t.same(names.containers, { [ID]: { runtime: 'docker' } })
  t.equal(identifier.unknownCgroups, 2, '4:1 and 1:9; the service is known to be in no container')
})

t.test('a cgroup whose number is given to another is the other', async t => {
  const identifier = fresh()
  identifier.learn(pathRecord(1, `/docker/${ID}`))
  identifier.learn(pathRecord(1, '/user.slice'))
  t.same(identifier.namesOf(tcpFlow, flow(1)).cgroups, {})
})

t.test('of 32,768 cgroups and more those are forgotten that were not told of for longest', async t => {
  const identifier = fresh()
  const path = `/docker/${ID}`
  for (let cgroup = 1; cgroup <= 32_768; cgroup++) identifier.learn(pathRecord(cgroup, path))
  identifier.learn(pathRecord(1, path))
  identifier.learn(pathRecord(99_999, path))
  const known = (cgroup: number) =>
    Object.keys(identifier.namesOf(tcpFlow, flow(cgroup)).cgroups).length === 1
  t.same([1, 2, 3, 99_999].map(known), [true, false, true, true])
})

t.test('processes of the window are named at its end, once', async t => {
  const identifier = new Identifier(cgroupPath, processLayout, nothing, { now: () => 0 })
  identifier.learnProcesses(processRecord(7, 'wget', '/bin/wget'))
  identifier.learnProcesses(processRecord(8, 'deep', '/a/b/c/d'))
  const withPid: Layout = {
    ...tcpFlow,
    size: 20,
    fields: [...tcpFlow.fields, { name: 'pid', offset: 16, size: 4, type: 'u32' }],
  }
  const rows = Buffer.concat([7, 7, 8, 9].map(pid => Buffer.concat([flow(1), Buffer.from([pid, 0, 0, 0])])))
  identifier.namesOf(withPid, rows)
  t.match(identifier.running().processes, {
    7: { comm: 'wget', exe: '/bin/wget', parent: 1, parent_comm: 'init', uid: 1000 },
    8: { exe: '…/b/c/d' },
    9: undefined,
  })
  t.equal(identifier.running().processes, undefined)
})
