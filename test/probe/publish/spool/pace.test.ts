import t from 'tap'
import { Queue } from '../../../../probe/publish/queue.ts'
import { Pace } from '../../../../probe/publish/spool/pace.ts'
import { until } from '../../../harness/until.ts'

const run = { host: 'h', boot: 'b', probe: 'p' }

/** Windows of two messages, and the windows that go out until the pace says no. */
function given(windows: number) {
  const queue = new Queue(2 ** 20, run)
  let [now, sequence] = [0, 0]
  const pace = new Pace(
    queue,
    10_000,
    () => {},
    () => now,
  )
  const push = (window: number, isEnd: boolean) =>
    queue.push({ window, sequence: sequence++, frames: [Buffer.alloc(10)], rows: 1, isEnd, lost: {} })
  const add = (window: number) => [push(window, false), push(window, true)]
  for (let window = 0; window < windows; window++) add(window)
  const send = () => {
    const sent: number[] = []
    for (let next = pace.isOpen() && queue.next(); next; next = pace.isOpen() && queue.next())
      if (next.isEnd) sent.push(next.window)
    return sent
  }
  const pass = (ms: number) => {
    now += ms
  }
  return { queue, pace, add, send, pass }
}

t.test('so many windows are under way; each acknowledgement makes room for the next', async t => {
  const { queue, pace, send } = given(20)
  t.same(send(), [0, 1, 2, 3])
  t.same(send(), [])
  queue.acknowledge({ ...run, window: 0 })
  t.same(send(), [4])
  queue.acknowledge({ ...run, window: 2 })
  t.same(send(), [5], 'in whatever order they come')
  pace.close()
})

t.test('without an answer, four go out in each interval', async t => {
  const { pace, send, pass } = given(20)
  t.same(send(), [0, 1, 2, 3])
  pass(2499)
  t.same(send(), [])
  pass(1)
  t.same(send(), [4])
  pass(2500)
  t.same(send(), [5])
  pace.close()
})

t.test('fresh windows never wait for it', async t => {
  const { pace, add, send, pass } = given(0)
  for (let window = 0; window < 10; window++) {
    add(window)
    t.same(send(), [window])
    pass(10_000)
  }
  pace.close()
})

t.test('it calls when the next may be sent', async t => {
  const queue = new Queue(2 ** 20, run)
  for (let window = 0; window < 6; window++)
    queue.push({ window, sequence: window, frames: [Buffer.alloc(1)], rows: 1, isEnd: true, lost: {} })
  const { promise, resolve } = Promise.withResolvers<void>()
  const pace = new Pace(queue, 100, resolve)
  for (let window = 0; window < 4; window++) t.ok(pace.isOpen() && queue.next())
  t.notOk(pace.isOpen())
  await promise
  await until('the next', () => pace.isOpen())
  pace.close()
})
