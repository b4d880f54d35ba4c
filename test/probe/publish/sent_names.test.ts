import t from 'tap'
import { SentNames } from '../../../probe/publish/sent_names.ts'

const web = { runtime: 'docker', name: 'web' }
const database = { runtime: 'docker', name: 'database' }
const nobody = { cgroups: {}, containers: {}, pods: {} }
const ofWeb = { ...nobody, cgroups: { '0:1': 'w' }, containers: { w: web } }
const ofDatabase = { ...nobody, netns: { '7': 'd' }, containers: { d: database } }

t.test('all names of a window are sentNames with each of its messages, as the same object', async t => {
  const sentNames = new SentNames()
  sentNames.with(ofWeb)
  const both = sentNames.with(ofDatabase)
  t.same(both, {
    cgroups: { '0:1': 'w' },
    netns: { '7': 'd' },
    containers: { w: web, d: database },
    pods: {},
  })
  t.equal(sentNames.with(ofWeb), both)
  t.equal(sentNames.with(nobody), both)
  sentNames.end()
  const { netns: _, ...rest } = both
  t.same(sentNames.with(ofWeb), rest, 'and those of the window before, but for network namespaces')
})

t.test('what a window did not need is forgotten with it', async t => {
  const sentNames = new SentNames()
  sentNames.with(ofWeb)
  sentNames.with(ofDatabase)
  sentNames.end()
  sentNames.with(ofWeb)
  sentNames.end()
  t.same(sentNames.with(nobody), ofWeb)
  sentNames.end()
  t.same(sentNames.with(nobody), nobody)
})

t.test('a name that is sentNames again in other words is the same', async t => {
  const sentNames = new SentNames()
  const pending = () => ({ ...ofWeb, containers: { w: { runtime: 'docker', pending: true } } })
  t.equal(sentNames.with(pending()), sentNames.with(pending()))
})

t.test('a name that has come takes the place of the one before', async t => {
  const sentNames = new SentNames()
  sentNames.with({ ...ofWeb, containers: { w: { runtime: 'docker', pending: true } } })
  t.same(sentNames.with(ofWeb), ofWeb)
  const pods = { u: { name: 'web-0', namespace: '' } }
  t.same(sentNames.with({ ...nobody, pods }), { ...ofWeb, pods })
})
