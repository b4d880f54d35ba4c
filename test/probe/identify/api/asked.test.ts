import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Answer, Asked, type Runtime } from '../../../../probe/identify/api/asked.ts'
import { docker } from '../../../../probe/identify/api/container_api.ts'
import { cri } from '../../../../probe/identify/api/cri.ts'
import { startBroken } from '../../../harness/broken.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { scratch } from '../../../harness/scratch.ts'
import { until } from '../../../harness/until.ts'

const ANSWER: Answer = { containers: new Map([['a', { name: 'web' }]]), running: [{ id: 'a', pid: 0 }] }

function runtime(ask: Runtime['ask'], more: Partial<Runtime> = {}): Runtime {
  return { name: 'fake', gapMs: 0, exists: () => true, ask, close: () => {}, ...more }
}

async function place(t: Test): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  return join(await scratch(cleanup, 'broken'), 's.sock')
}

t.test('it answers at once with what it heard last', async t => {
  const asked = new Asked(runtime(async () => ANSWER))
  t.teardown(() => asked.close())
  t.equal(asked.find('a'), undefined)
  t.notOk(asked.hasHeard(performance.now()))
  const born = performance.now()
  asked.refresh()
  await until('an answer', () => asked.find('a'))
  t.same([asked.find('a'), asked.running(), asked.failed], [{ name: 'web' }, [{ id: 'a', pid: 0 }], {}])
  t.ok(asked.hasHeard(born))
})

t.test('many wishes are one question, and one more for those that came while it was asked', async t => {
  let questions = 0
  const answer = Promise.withResolvers<Answer>()
  const asked = new Asked(
    runtime(() => {
      questions++
      return answer.promise
    }),
  )
  t.teardown(() => asked.close())
  for (let i = 0; i < 10; i++) asked.refresh()
  await until('a question', () => questions > 0)
  for (let i = 0; i < 10; i++) asked.refresh()
  const later = performance.now()
  answer.resolve(ANSWER)
  await until('the second answer', () => asked.hasHeard(later))
  t.equal(questions, 2)
})

t.test('where there is no runtime nothing is asked, counted or waited for', async t => {
  const asked = new Asked(runtime(() => t.fail('it was asked') as never, { exists: () => false }))
  asked.refresh()
  t.ok(asked.hasHeard(performance.now()))
  t.same(asked.failed, {})
})

t.test('after a failure it waits, longer each time, and keeps what it knew', async t => {
  let now = 0
  let fails = false
  let questions = 0
  const ask = async () => {
    questions++
    if (fails) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    return ANSWER
  }
  const asked = new Asked(runtime(ask), () => now)
  t.teardown(() => asked.close())
  asked.refresh()
  await until('an answer', () => asked.find('a'))
  fails = true
  asked.refresh()
  await until('a failure', () => asked.failed['unavailable'] === 1)
  t.ok(asked.hasHeard(now + 1), 'nobody waits for one that is broken')
  t.same(asked.find('a'), { name: 'web' })
  now += 999
  asked.refresh()
  await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(questions, 3, 'one that answered, one that failed, and the next after a second')
})

for (const [manner, reason] of [
  ['silent', 'timeout'],
  ['garbage', 'nonsense'],
  ['nonsense', 'nonsense'],
  ['strange', 'nonsense'],
  ['failing', 'failed'],
  ['endless', 'timeout'],
] as const)
  t.test(`a ${manner} Docker is counted as ${reason} and delays nobody`, async t => {
    const socket = await place(t)
    const broken = await startBroken(socket, manner)
    t.teardown(() => broken.close())
    const asked = new Asked(docker(socket))
    t.teardown(() => asked.close())
    asked.refresh()
    t.equal(asked.find('a'), undefined)
    await until('the end', () => Object.keys(asked.failed).length > 0)
    t.same(asked.failed, { [reason]: 1 })
    asked.refresh()
    t.equal(broken.connections(), 1, 'the next question waits')
  })

for (const manner of ['silent', 'garbage'] as const)
  t.test(`a ${manner} CRI runtime is counted and delays nobody`, async t => {
    const socket = await place(t)
    const broken = await startBroken(socket, manner)
    t.teardown(() => broken.close())
    const asked = new Asked(cri(socket))
    t.teardown(() => asked.close())
    asked.refresh()
    await until('the end', () => Object.keys(asked.failed).length > 0)
    t.equal(Object.values(asked.failed)[0], 1)
    t.same(asked.running(), [])
  })
