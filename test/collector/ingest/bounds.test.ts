import t from 'tap'
import { Ingest } from '../../../collector/ingest/ingest.ts'
import type { MalformedError } from '../../../wire/check.ts'
import { Probe } from './probe.ts'

/** A forger that has read the boot and run id of a probe. */
const forge = (sequence: number) => Object.assign(new Probe(), { sequence })

const reasonOf = (receive: () => void) => {
  try {
    receive()
  } catch (error) {
    return (error as MalformedError).reason
  }
}

t.test('a message with a forged sequence number is refused, and nothing else is lost', async t => {
  for (const sequence of [2 ** 52, Number.MAX_SAFE_INTEGER, 1_000_002, 9e15]) {
    const [probe, ingest] = [new Probe(), new Ingest()]
    ingest.receive(probe.end(0))
    for (const frames of [forge(sequence).rows(1, 3), forge(sequence).end(1), forge(sequence).settled(1)])
      t.equal(
        reasonOf(() => ingest.receive(frames)),
        'sequence_jump',
        String(sequence),
      )
    const bad = forge(sequence).rows(1, 1).with(-1, Buffer.from('{"cgroups":7}'))
    t.equal(
      reasonOf(() => ingest.receive(bad)),
      'names_cgroups',
    )
    const folded = [1, 2, 3].flatMap(window => ingest.receive(probe.end(window, false, 2)).folded)
    t.match(folded, [{ fold: { rows: 2 } }, { fold: { rows: 2 } }, { fold: { rows: 2 } }])
    t.same(ingest.lost, { malformed_sequence_jump: 3, malformed_names_cgroups: 1 }, 'no gap')
  }
})

t.test('a message with a forged window number is refused, and nothing else is lost', async t => {
  for (const window of [2 ** 52, 1_000_001]) {
    const [probe, ingest] = [new Probe(), new Ingest()]
    ingest.receive(probe.end(0))
    for (const frames of [
      forge(1).rows(window, 3),
      forge(1).end(window, false, 0, 1_767_000_000),
      forge(1).settled(window),
    ])
      t.equal(
        reasonOf(() => ingest.receive(frames)),
        'window_jump',
        String(window),
      )
    t.match(ingest.receive(probe.end(1)).folded, [{ key: { window: 1 }, complete: true }])
    t.same(ingest.lost, { malformed_window_jump: 3 })
  }
})

t.test('windows that a forged first number excludes are counted and not acknowledged', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(forge(2 ** 52).end(0))
  t.equal(
    reasonOf(() => ingest.receive(probe.end(0))),
    'sequence_jump',
  )
  t.equal(
    reasonOf(() => ingest.receive(probe.end(1))),
    'sequence_jump',
    'it is not acknowledged',
  )
})

t.test('gaps up to a million messages are counted exactly', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.end(0))
  for (const missing of [0, 1, 7, 999_999]) {
    probe.skip(missing)
    ingest.receive(probe.end(probe.sequence % 999_999))
  }
  t.same(ingest.lost['gap'], 1 + 7 + 999_999)
})

t.test('a probe that sent two million messages to another collector within a day is taken', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.end(0))
  probe.skip(2_100_000)
  t.match(ingest.receive(probe.settled(80_000)), { settled: { elsewhere: true } })
  t.match(ingest.receive(probe.end(80_000)).folded, [{ key: { window: 80_000 }, complete: true }])
  t.same(ingest.lost, {})
})

t.test('an interval above an hour is refused', async t => {
  const ingest = new Ingest()
  for (const interval of [3601, 86_400, 1e9, 0, 0.5]) {
    const frames = Object.assign(new Probe(), { interval }).end(0)
    t.equal(
      reasonOf(() => ingest.receive(frames)),
      'head_interval',
    )
  }
  ingest.receive(Object.assign(new Probe(), { interval: 3600 }).end(0))
  t.same(ingest.lost, { malformed_head_interval: 5 })
})
