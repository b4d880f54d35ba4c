/** Identifying with a source that may be slow: who waits for a name, and how long. */

import t from 'tap'
import { Identifier } from '../../../probe/identify/identify.ts'
import type { Described, Running, Source } from '../../../probe/identify/source.ts'
import { cgroupPath, flow, pathRecord, processLayout, tcpFlow } from './records.ts'

const ID = 'a'.repeat(64)
const OTHER = 'b'.repeat(64)

class Slow implements Source {
  readonly known: Record<string, Described> = {}
  readonly alive: Running[] = []
  heardMs = -1
  wishes = 0
  now = 0

  find(id: string): Described | undefined {
    return this.known[id]
  }
  running(): Running[] {
    return this.alive
  }
  refresh(): void {
    this.wishes++
  }
  hasHeard(sinceMs: number): boolean {
    return this.heardMs >= sinceMs
  }
}

function start(): { source: Slow; identifier: Identifier } {
  const source = new Slow()
  const identifier = new Identifier(cgroupPath, processLayout, source, { now: () => source.now })
  identifier.learn(pathRecord(1, `/docker/${ID}`))
  return { source, identifier }
}

t.test('a new container without a name is asked for once, and waits for the answer', async t => {
  const { source, identifier } = start()
  t.equal(source.wishes, 1)
  t.same(identifier.namesOf(tcpFlow, flow(1)).containers[ID], { runtime: 'docker', pending: true })
  t.same(identifier.running().containers[ID], { runtime: 'docker', pending: true })
  t.equal(source.wishes, 1)
})

t.test('the name is told when it comes, also with the window after, and of one that has ended', async t => {
  const { source, identifier } = start()
  identifier.running()
  source.known[ID] = { name: 'web' }
  source.heardMs = 1
  t.same(identifier.running(), {
    cgroups: {},
    containers: { [ID]: { runtime: 'docker', name: 'web' } },
    pods: {},
    running: [],
  })
  t.same(identifier.running().containers, {}, 'and once only')
})

t.test('nobody waits longer than a window, nor for a name that nobody has', async t => {
  const { source, identifier } = start()
  t.ok(identifier.running().containers[ID]?.pending)
  t.notOk(identifier.namesOf(tcpFlow, flow(1)).containers[ID]?.pending, 'its first window is over')
  source.heardMs = 1
  identifier.learn(pathRecord(2, `/docker/${OTHER}`))
  t.same(identifier.namesOf(tcpFlow, flow(2)).containers[OTHER], { runtime: 'docker' }, 'all were heard')
})

t.test(
  'a name is kept for five minutes after it was last seen, though nobody else knows it any more',
  async t => {
    const { source, identifier } = start()
    source.known[ID] = { name: 'web' }
    t.equal(identifier.namesOf(tcpFlow, flow(1)).containers[ID]?.name, 'web')
    delete source.known[ID]
    for (const minute of [4, 8, 12]) {
      source.now = minute * 60_000
      identifier.running()
      t.equal(identifier.namesOf(tcpFlow, flow(1)).containers[ID]?.name, 'web')
    }
    source.now += 5 * 60_000 + 1
    identifier.running()
    t.equal(identifier.namesOf(tcpFlow, flow(1)).containers[ID]?.name, undefined)
  },
)

t.test('the labels that are wanted come along, others do not', async t => {
  const source = new Slow()
  source.known[ID] = {
    name: 'web',
    labels: { team: 'a', secret: 'x' },
    pod: { uid: 'u', name: 'web-0', namespace: 'shop', labels: { app: 'web', other: 'y' } },
  }
  const options = { labels: ['team', 'app', 'none'], now: () => 0 }
  const identifier = new Identifier(cgroupPath, processLayout, source, options)
  identifier.learn(pathRecord(1, `/docker/${ID}`))
  const { containers, pods } = identifier.namesOf(tcpFlow, flow(1))
  t.same(containers[ID], { runtime: 'docker', name: 'web', pod: 'u', labels: { team: 'a' } })
  t.same(pods, { u: { name: 'web-0', namespace: 'shop', labels: { app: 'web' } } })
  identifier.want(['secret'])
  const others = identifier.namesOf(tcpFlow, flow(1))
  t.same(others.containers[ID]?.labels, { secret: 'x' }, 'others from now on')
  t.same(others.pods, { u: { name: 'web-0', namespace: 'shop' } })
})
