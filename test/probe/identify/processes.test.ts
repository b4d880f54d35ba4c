import t from 'tap'
import { Processes } from '../../../probe/identify/processes.ts'
import { processLayout, processRecord } from './records.ts'

t.test('a process is known by the last that was told of its number', async t => {
  const processes = new Processes(processLayout)
  processes.learn(Buffer.concat([processRecord(7, 'sh', '/bin/sh'), processRecord(7, 'wget', '/bin/wget')]))
  t.same(processes.find(7), {
    started_ns: '7000000000',
    comm: 'wget',
    name: 'wget',
    exe: '/bin/wget',
    parent: 1,
    parent_comm: 'init',
    uid: 1000,
  })
  t.equal(processes.find(8), undefined)
})

t.test('a path that is deeper than its record says so', async t => {
  const processes = new Processes(processLayout)
  processes.learn(processRecord(1, 'd', '/a/b/c/d'))
  t.equal(processes.find(1)?.exe, '…/b/c/d')
})

t.test('one that is in use outlives any number of others', async t => {
  const processes = new Processes(processLayout)
  processes.learn(processRecord(1, 'old', '/old'))
  for (let pid = 2; pid < 40_000; pid++) {
    processes.learn(processRecord(pid, 'x', '/x'))
    processes.find(1)
  }
  t.match(processes.find(1), { comm: 'old' })
  t.equal(processes.find(2), undefined, 'what nobody asked for is forgotten')
})
