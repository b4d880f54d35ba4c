import { text as textOf } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import type { Batch, WindowId } from '../../../../collector/batch.ts'
import { Distribution } from '../../../../collector/sample/distribution.ts'
import { PrometheusSink } from '../../../../collector/sinks/prometheus/prometheus.ts'
import { lint } from '../../../harness/prometheus.ts'
import { type Point, samplesOf } from '../../../harness/samples.ts'
import { needs } from '../../../harness/skip.ts'

const numFlows = { name: 'container:num_flows', fields: ['as_client', 'as_server'] }
const lost = { name: 'probe:lost', fields: ['count'] }
const connect = { name: 'container:connect', fields: ['mean', 'p95', 'max'] }

const flowsOf = (container: string, flows: number): Point => ({
  measurement: numFlows,
  tags: { container, host: 'h' },
  values: [flows, undefined],
})
const lostOf = (reason: string, count: number): Point => ({
  measurement: lost,
  tags: { host: 'h', stage: 'kernel', reason },
  values: [count],
})

function start() {
  let now = 0
  const sink = new PrometheusSink({ version: '1.2.3', now: () => now })
  const write = (id: Partial<WindowId> & { window: number }, ...points: Point[]) => {
    const key = { host: 'h', boot: 'b', probe: 'p', ...id }
    const batch: Batch = {
      id: key,
      time: 1000 + id.window,
      interval: 10,
      samples: samplesOf(points),
      distributions: [],
    }
    return sink.write(batch)
  }
  const text = () => textOf(sink.text())
  /** `labels value` of our own metrics. */
  const told = async () =>
    [...(await text()).matchAll(/^sockflux_(?:container|probe)_\w+\{(.*)\} (.*)$/gm)].map(
      ([, labels, value]) => `${[...labels!.matchAll(/(?:container|reason)="(.*?)"/g)][0]![1]} ${value}`,
    )
  const check = async (t: Test, expected: readonly string[], what: string) =>
    t.same((await told()).sort(), expected, what)
  return { sink, write, text, check, wait: (ms: number) => (now += ms) }
}

t.test('the last window of each probe is told, and a series that is not in it has ended', async t => {
  const { write, check } = start()
  await write({ window: 1 }, flowsOf('a', 1), flowsOf('b', 2))
  await check(t, ['a 1', 'b 2'], 'a window')
  await write({ window: 1, probe: 'other' }, flowsOf('c', 3))
  await check(t, ['a 1', 'b 2', 'c 3'], 'and one of another probe')
  await write({ window: 2 }, flowsOf('b', 4))
  await check(t, ['b 4', 'c 3'], 'the next window without a container')
})

t.test('a probe that is silent for two windows is gone', async t => {
  const { write, check, wait } = start()
  await write({ window: 1 }, flowsOf('a', 1))
  wait(20_000)
  await check(t, ['a 1'], 'not yet')
  await write({ window: 1, probe: 'other' }, flowsOf('b', 1))
  wait(1)
  await check(t, ['b 1'], 'gone')
})

t.test('a probe that was started again does not tell twice what the one before has told', async t => {
  const { write, check } = start()
  await write({ window: 7 }, flowsOf('a', 1), flowsOf('b', 1))
  await write({ window: 1, probe: 'again' }, flowsOf('a', 5))
  await check(t, ['a 5', 'b 1'], 'the newest window counts')
})

t.test('what waited for its name is told with the window after its own, and then no more', async t => {
  const { write, check } = start()
  await write({ window: 1 }, flowsOf('a', 1))
  await write({ window: 1, part: 'late' }, flowsOf('brief', 9), flowsOf('named', 9))
  await check(t, ['a 1'], 'it comes right before the next window')
  await write({ window: 2 }, flowsOf('a', 2), flowsOf('named', 3))
  await check(t, ['a 2', 'brief 9', 'named 3'], 'where the window does not say it better')
  await write({ window: 3 }, flowsOf('a', 3))
  await check(t, ['a 3'], 'and ends')
  await write({ window: 3, part: 'late' }, flowsOf('brief', 9))
  await write({ window: 5 }, flowsOf('a', 5))
  await check(t, ['a 5'], 'not with a window that is not the next')
})

t.test('what was lost stays while its host does, though it is written only when it rises', async t => {
  const { write, check, wait } = start()
  await write({ window: 1 }, lostOf('slot', 2), lostOf('full', 1))
  await write({ window: 2 }, lostOf('slot', 3))
  await check(t, ['full 1', 'slot 3'], 'both')
  await write({ window: 3 })
  await check(t, ['full 1', 'slot 3'], 'in a window without losses')
  wait(20_001)
  await check(t, [], 'until the host is gone')
  for (let reason = 0; reason < 1100; reason++) await write({ window: reason }, lostOf(`r${reason}`, 1))
  await check(t, Array.from({ length: 1000 }, (_, at) => `r${at + 100} 1`).sort(), 'and not without end')
})

t.test('histograms are told also in a window without a sample', async t => {
  const { sink, text } = start()
  const distribution = new Distribution().copy()
  const id = { host: 'h', boot: 'b', probe: 'p', window: 1 }
  const distributions = [{ measurement: connect, tags: { container: 'a', host: 'h' }, distribution }]
  await sink.write({ id, time: 1000, interval: 10, samples: [], distributions })
  t.match(await text(), /^sockflux_container_connect_seconds_count\{container="a",host="h"\} 0$/m)
})

t.test('it exports process metrics too, and promtool reports no problem', async t => {
  const { text } = start()
  const own = await text()
  t.match(own, /^sockflux_build_info\{version="1\.2\.3",node="v/m)
  t.match(own, /^process_cpu_seconds_total /m)
  if (!needs('prometheus')) t.equal(await lint(own), '')
})

t.test('a long text comes in pieces, between which others have their turn', async t => {
  const { sink, write } = start()
  await write({ window: 1 }, ...Array.from({ length: 5000 }, (_, at) => flowsOf(`c${at}`, at)))
  let pieces = 0
  let turns = 0
  const turn = () => {
    turns++
    if (pieces >= 0) setImmediate(turn)
  }
  setImmediate(turn)
  for await (const piece of sink.text()) {
    t.ok(piece.length < 70_000 || pieces === 0, `${piece.length} characters`)
    pieces++
  }
  t.ok(pieces > 3, `${pieces} pieces`)
  t.ok(turns >= pieces - 1, `${turns} turns`)
  pieces = -1
})
