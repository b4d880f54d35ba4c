import t from 'tap'
import { Ranges } from '../../../../collector/cluster/addresses.ts'
import { Nodes } from '../../../../collector/cluster/held/nodes.ts'
import { Shared } from '../../../../collector/cluster/held/shared.ts'

t.test('what several have is that of who came last of those that are left', async t => {
  const shared = new Shared<string>()
  for (const [at, name] of ['a', 'b', 'c'].entries()) shared.begin('ip', name, at * 1000)
  shared.end('ip', 'b', 5000)
  t.equal(shared.at('ip', 20_000), 'c')
  shared.end('ip', 'c', 30_000)
  t.equal(shared.at('ip', 40_000), 'a')
  shared.end('ip', 'a', 50_000)
  t.equal(shared.at('ip', 60_000), undefined)
})

t.test('an address that goes from one list of a node to another stays its own', async t => {
  const nodes = new Nodes(new Ranges())
  const node = { namespace: '', name: 'a', created: 0, uid: '', zone: '', podRanges: [], externalIps: [] }
  const [both, one] = [
    { ...node, ips: ['10.0.0.1'], podIps: ['10.0.0.1'] },
    { ...node, ips: ['10.0.0.1'], podIps: [] },
  ]
  nodes.set(both, undefined, 1000)
  nodes.set(one, both, 20_000)
  t.equal(nodes.byAddress('10.0.0.1', 60_000)?.name, 'a')
  nodes.set({ ...one, ips: [], podIps: ['10.0.0.1'] }, one, 80_000)
  t.equal(nodes.byAddress('10.0.0.1', 120_000)?.name, 'a')
})
