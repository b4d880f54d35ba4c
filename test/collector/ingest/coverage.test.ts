/** What the windows say of what did not come. */

import t from 'tap'
import type { Folded } from '../../../collector/ingest/folded.ts'
import { Ingest } from '../../../collector/ingest/ingest.ts'
import { missingBetween } from '../../../collector/ingest/missing.ts'
import type { Layout } from '../../../wire/layout.ts'
import { Probe, START } from './probe.ts'

const counting = () => Object.assign(new Probe(), { countsRows: true })
const of = (folded: readonly Folded[]) =>
  folded.map(({ key, complete, made, missing, fold }) => ({
    window: key.window,
    complete,
    ...(made !== undefined && { rows: `${fold.rows + fold.unread}/${made}` }),
    ...(missing?.length && { missing: missing.map(({ window }) => window) }),
  }))

t.test('a window whose rows all came is whole, also where messages before it are missing', async t => {
  const [probe, ingest] = [counting(), new Ingest()]
  probe.rows(0, 3) // before the collector was there
  ingest.receive(probe.rows(1, 3))
  t.same(of(ingest.receive(probe.end(1, false, 2)).folded), [{ window: 1, complete: true, rows: '5/5' }])
  probe.skip()
  ingest.receive(probe.rows(2, 3))
  t.same(of(ingest.receive(probe.end(2)).folded), [{ window: 2, complete: true, rows: '3/3' }])
  t.same(ingest.lost, { gap: 1 })
})

t.test('rows that never came are missing in their window and in no other', async t => {
  const [probe, ingest] = [counting(), new Ingest()]
  probe.rows(1, 3)
  ingest.receive(probe.rows(1, 1))
  t.same(of(ingest.receive(probe.end(1)).folded), [{ window: 1, complete: false, rows: '1/4' }])
  ingest.receive(probe.rows(2, 2))
  t.same(of(ingest.receive(probe.end(2)).folded), [{ window: 2, complete: true, rows: '2/2' }])
  t.same(ingest.lost, { incomplete: 1 })
})

t.test('a window without its end does not say how many rows it had', async t => {
  const [probe, ingest] = [counting(), new Ingest()]
  ingest.receive(probe.rows(1, 3))
  probe.end(1)
  ingest.receive(probe.rows(2, 2))
  t.same(of(ingest.receive(probe.end(2)).folded), [
    { window: 1, complete: false },
    { window: 2, complete: true, rows: '2/2' },
  ])
})

t.test('windows that never came have the labels that they would have had', async t => {
  const [probe, ingest] = [counting(), new Ingest()]
  ingest.receive(probe.end(3))
  ingest.receive(probe.rows(5, 1))
  const { folded } = ingest.receive(probe.end(7))
  t.same(of(folded), [
    { window: 5, complete: false },
    { window: 7, complete: true, rows: '0/0', missing: [4, 6] },
  ])
  t.same(
    folded.at(-1)!.missing!.map(({ time }) => time),
    [START + 40, START + 60],
  )
})

t.test('what was before the first message is not known; what a collector has is not missing', async t => {
  const [probe, ingest] = [counting(), new Ingest()]
  t.same(of(ingest.receive(probe.end(5)).folded), [{ window: 5, complete: true, rows: '0/0' }])
  ingest.receive(probe.settled(9))
  t.same(of(ingest.receive(probe.end(9)).folded), [{ window: 9, complete: true, rows: '0/0' }])
  ingest.receive(probe.settled(11))
  const [end] = of(ingest.receive(probe.end(13)).folded)
  t.same(end?.missing, [11, 12], 'what it says is still to come, and does not come')
})

t.test('the first window of a run is never stored, and so not missing', async t => {
  const [probe, ingest] = [counting(), new Ingest()]
  ingest.receive(probe.settled(0))
  t.same(of(ingest.receive(probe.end(2)).folded), [{ window: 2, complete: true, rows: '0/0', missing: [1] }])
})

t.test('windows of a probe that does not count its rows: a gap that nothing explains', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.end(1))
  probe.skip()
  ingest.receive(probe.rows(2, 3))
  t.same(of(ingest.receive(probe.end(2)).folded), [{ window: 2, complete: false }])
  probe.skip()
  t.same(of(ingest.receive(probe.end(4)).folded), [{ window: 4, complete: true, missing: [3] }])
  t.same(of(ingest.receive(probe.end(5)).folded), [{ window: 5, complete: true }])
})

t.test('rows of a record that this collector does not know have come; refused ones have not', async t => {
  const [probe, ingest] = [counting(), new Ingest()]
  const foreign: Layout = {
    name: 'of_tomorrow',
    size: 8,
    fields: [{ name: 'x', offset: 0, size: 8, type: 'u64' }],
  }
  ingest.receive(probe.rows(1, 2, foreign))
  t.same(of(ingest.receive(probe.end(1, false, 1)).folded), [{ window: 1, complete: true, rows: '3/3' }])
  ingest.receive(probe.rows(2, 2, { ...foreign, name: 'tcp_flow' }))
  t.same(of(ingest.receive(probe.end(2, false, 1)).folded), [{ window: 2, complete: false, rows: '1/3' }])
})

t.test('a missing window whose time cannot be true is not told of', async t => {
  const [probe, ingest] = [
    counting(),
    new Ingest(
      undefined,
      undefined,
      () => 0,
      () => START * 1000,
    ),
  ]
  ingest.receive(probe.end(1))
  t.same(
    of(ingest.receive(probe.end(200)).folded)
      .at(-1)
      ?.missing?.at(-1),
    60,
    'ten minutes ahead of our clock',
  )
})

t.test(
  'of a long gap a thousand are told of, spread over it; a clock that was set back leaves fewer',
  async t => {
    const nothing = () => false
    const last = { window: 10, time: START }
    const end = { window: 500_011, time: START + 5_000_010, interval: 10 }
    const missing = missingBetween(last, end, nothing)
    t.equal(missing.length, 1000)
    t.match(missing[0], { window: 11, time: START + 10 })
    t.ok(missing.at(-1)!.window >= 499_511)
    const back = missingBetween(last, { window: 21, time: START + 30, interval: 10 }, nothing)
    t.same(
      back.map(({ time }) => time),
      [START + 10, START + 20],
    )
  },
)
