import t from 'tap'
import { amountIn, leftOf, reload } from '../../../../probe/publish/spool/message.ts'
import { Runs } from '../../../../probe/publish/spool/runs.ts'

const run = { host: 'h', boot: 'b', probe: 'p' }
let serial = 0
const record = (window: number, sequence: number, first: number, isEnd: boolean, more = {}) => ({
  ...{ serial: serial++, time: 0, bytes: 1, windows: isEnd ? 1 : 0, rows: 3 },
  head: { ...run, window, sequence, first, isEnd, lost: {}, ...more },
})
const sequences = (records: readonly { head: unknown }[]) =>
  records.map(({ head }) => (head as { sequence: number }).sequence)

t.test('only whole windows are sent', async t => {
  const { messages, refused, runs } = reload(
    [
      ...[record(3, 11, 10, true), record(4, 12, 12, false), record(4, 13, 12, true)],
      ...[record(5, 14, 14, false), record(5, 16, 14, true), record(6, 17, 17, false)],
    ],
    'h',
  )
  t.same(sequences(messages), [12, 13])
  t.same(sequences(refused), [11, 14, 16, 17], 'without a beginning, a middle, an end')
  t.match(runs, [{ identity: run, first: 4, last: 4 }])
  t.same(amountIn(refused), { windows: 2, rows: 12 })
})

t.test('what was written twice is sent once', async t => {
  const { messages, refused } = reload(
    [record(1, 5, 5, true), record(1, 5, 5, true), record(2, 6, 6, true)],
    'h',
  )
  t.same(sequences(messages), [5, 6])
  t.same(sequences(refused), [5])
})

t.test('runs are placed one behind the other, before this one', async t => {
  const old = { probe: 'o' }
  const found = [
    record(8, 1, 1, true, old),
    record(10, 2, 2, true, old),
    record(0, 0, 0, true),
    record(1, 1, 1, true),
  ]
  const { messages, runs: past } = reload(found, 'h')
  const runs = new Runs({ ...run, probe: 'now' })
  runs.place(past)
  const left = leftOf(messages, runs)
  t.same(
    left.map(({ window }) => window),
    [-5, -3, -2, -1],
  )
  for (const { window } of left) t.equal(runs.at(runs.keyOf(window)), window, 'and found by their names')
  t.equal(runs.at({ ...run, probe: 'unknown', window: 0 }), undefined)
  t.match(runs.keyOf(3), { probe: 'now', window: 3 })
})

t.test('what is no message of ours, or of another host, is not sent', async t => {
  const strange = { ...record(1, 1, 1, true), head: 'what?' }
  const { messages, refused, others } = reload(
    [strange, { ...strange, head: null }, record(2, 2, 2, true, { host: 'x' })],
    'h',
  )
  t.same([messages.length, refused.length, others.length], [0, 2, 1])
})
