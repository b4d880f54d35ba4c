import t from 'tap'
import { type Answer, Asked } from '../../../probe/identify/api/asked.ts'
import type { Described, Running, Source } from '../../../probe/identify/source.ts'
import { Sources } from '../../../probe/identify/sources.ts'
import { until } from '../../harness/until.ts'

const POD = { uid: 'u', name: 'web-0', namespace: 'shop' }

function disk(known: Record<string, Described>, running: Running[] = []): Source & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    find: id => {
      asked.push(id)
      return known[id]
    },
    running: () => running,
  }
}

function heard(known: Record<string, Described>, running: Running[] = []) {
  const answer: Answer = { containers: new Map(Object.entries(known)), running }
  let questions = 0
  const ask = async () => {
    questions++
    return answer
  }
  const asked = new Asked({ name: 'fake', gapMs: 0, exists: () => true, ask, close: () => {} })
  return { asked, questions: () => questions }
}

async function listen({ asked }: ReturnType<typeof heard>): Promise<void> {
  const since = performance.now()
  asked.refresh()
  await until('an answer', () => asked.hasHeard(since))
}

t.test('the first that knows a name has it, later ones add what is missing', async t => {
  const first = disk({ a: { name: 'web', runtime: 'containerd' } })
  const second = disk({ a: { name: 'other', image: 'i', pod: POD } })
  const third = disk({ a: { image: 'other' } })
  const sources = new Sources([first, second, third], [])
  t.same(sources.find('a'), { name: 'web', runtime: 'containerd' })
  t.same(second.asked, [], 'nobody is asked for what is known')
  const path = { container: 'a', runtime: 'cri', pod: 'u' }
  t.same(sources.find('a', path), { name: 'web', runtime: 'containerd', image: 'i', pod: POD })
  t.equal(sources.find('b'), undefined)
})

t.test('who wants labels asks on until somebody has them', async t => {
  const files = disk({ a: { name: 'web', pod: POD } })
  const runtime = heard({ a: { name: 'other', pod: { ...POD, name: 'x', labels: { app: 'web' } } } })
  t.teardown(() => runtime.asked.close())
  await listen(runtime)
  t.same(new Sources([files], [runtime.asked], true).find('a'), {
    name: 'web',
    pod: { ...POD, labels: { app: 'web' } },
  })
  t.same(new Sources([files], [runtime.asked]).find('a'), { name: 'web', pod: POD })
})

t.test('of a container that was on disk the disk says when it is gone', async t => {
  const running = [
    { id: 'a', pid: 1 },
    { id: 'b', pid: 2 },
  ]
  const runtime = heard({}, [
    { id: 'a', pid: 0 },
    { id: 'c', pid: 0 },
  ])
  t.teardown(() => runtime.asked.close())
  await listen(runtime)
  const sources = new Sources([disk({}, running)], [runtime.asked])
  const ids = () => sources.running().map(({ id }) => id)
  t.same(ids(), ['a', 'b', 'c'])
  running.shift()
  t.same(ids(), ['b', 'c'], 'what was heard of it is old')
})

t.test('runtimes are not asked for a list while the disk shows all that runs', async t => {
  const runtime = heard({}, [])
  t.teardown(() => runtime.asked.close())
  new Sources([disk({}, [{ id: 'a', pid: 1 }])], [runtime.asked]).running()
  await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(runtime.questions(), 0)
  new Sources([disk({})], [runtime.asked]).running()
  await until('a question', () => runtime.questions() === 1)
})
