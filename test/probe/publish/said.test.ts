import t from 'tap'
import { Said } from '../../../probe/publish/said.ts'

const web = { runtime: 'docker', name: 'web' }
const database = { runtime: 'docker', name: 'database' }
const nobody = { cgroups: {}, containers: {}, pods: {} }
const ofWeb = { ...nobody, cgroups: { '0:1': 'w' }, containers: { w: web } }
const ofDatabase = { ...nobody, netns: { '7': 'd' }, containers: { d: database } }

t.test('all names of a window are said with each of its messages, as the same object', async t => {
  const said = new Said()
  said.with(ofWeb)
  const both = said.with(ofDatabase)
  t.same(both, {
    cgroups: { '0:1': 'w' },
    netns: { '7': 'd' },
    containers: { w: web, d: database },
    pods: {},
  })
  t.equal(said.with(ofWeb), both)
  t.equal(said.with(nobody), both)
  said.end()
  const { netns: _, ...rest } = both
  t.same(said.with(ofWeb), rest, 'and those of the window before, but for network namespaces')
})

t.test('what a window did not need is forgotten with it', async t => {
  const said = new Said()
  said.with(ofWeb)
  said.with(ofDatabase)
  said.end()
  said.with(ofWeb)
  said.end()
  t.same(said.with(nobody), ofWeb)
  said.end()
  t.same(said.with(nobody), nobody)
})

t.test('a name that is said again in other words is the same', async t => {
  const said = new Said()
  const pending = () => ({ ...ofWeb, containers: { w: { runtime: 'docker', pending: true } } })
  t.equal(said.with(pending()), said.with(pending()))
})

t.test('a name that has come takes the place of the one before', async t => {
  const said = new Said()
  said.with({ ...ofWeb, containers: { w: { runtime: 'docker', pending: true } } })
  t.same(said.with(ofWeb), ofWeb)
  const pods = { u: { name: 'web-0', namespace: '' } }
  t.same(said.with({ ...nobody, pods }), { ...ofWeb, pods })
})
