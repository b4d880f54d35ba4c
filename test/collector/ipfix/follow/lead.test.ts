/** Which end leads a conversation changes: its probe goes, or comes later. What was told of it stays told. */

import t from 'tap'
import { only } from '../../../harness/only.ts'
import { CLIENT, carrying, SERVER, Told, update } from '../given.ts'

const [A, B] = ['node-a', 'node-b']
const DIRECT = { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }
const bytes = (told: Told, of: 'aggregated' | 'exported' = 'aggregated') =>
  told[of].map(({ node, reason, total, since }) => [node, reason, total.bytes, since.bytes])

/** Both ends, with a record of the active period. */
function begun(): Told {
  const told = new Told()
  told.rows(A, 0, 'tcp_flow', { ...DIRECT, ...carrying(1000, 100, 5, 1) })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(5, 1, 1000, 100) })
  told.end(0, A, B)
  for (let window = 1; window < 7; window++) goesOn(told, window, A, B)
  return told
}
function goesOn(told: Told, window: number, ...nodes: string[]): void {
  if (nodes.includes(A)) told.rows(A, window, 'tcp_update', update(DIRECT, carrying(10, 1)))
  if (nodes.includes(B)) told.rows(B, window, 'tcp_update', update(SERVER, carrying(0, 0, 10, 1)))
  told.end(window, ...nodes)
}

t.test('when the probe of one end goes, the other end tells what has come since', async t => {
  for (const [gone, stays] of [
    [A, B],
    [B, A],
  ] as const) {
    const told = begun()
    t.same(bytes(told), [[A, 2, 1060, 1060]])
    told.stage.leave(gone)
    for (let window = 7; window < 13; window++) goesOn(told, window, stays)
    t.same(bytes(told).slice(1), [[stays, 2, 1120, 60]], `${gone} is gone`)
    t.equal(told.aggregator.incomplete, 0, 'nobody could tell more')
    told.silence(13, 15, stays)
    t.same(bytes(told).slice(2), [[stays, 1, 1120, 0]])
  }
})

t.test('idle is said once, also when the probe of one end goes after that', async t => {
  for (const [gone, stays] of [
    [A, B],
    [B, A],
  ] as const) {
    const told = begun()
    // what the gone one has sent last has not come to the other
    goesOn(told, 7, gone)
    told.end(7, stays)
    told.silence(8, 10, A, B)
    t.equal(told.aggregated.length, 2)
    told.stage.leave(gone)
    told.silence(11, 20, stays)
    t.equal(told.aggregated.length, 2, `${gone} is gone`)
  }
})

t.test('what a node has told as an exporter ends with its probe, and goes on at the other', async t => {
  const told = begun()
  told.stage.leave(A)
  for (let window = 7; window < 13; window++) goesOn(told, window, B)
  told.stage.leave(B)
  t.same(bytes(told, 'exported'), [
    [A, 2, 1060, 1060],
    [B, 2, 1060, 1060],
    [A, 4, 1060, 0],
    [B, 2, 1120, 60],
    [B, 4, 1120, 0],
  ])
  t.same(bytes(told).at(-1), [B, 4, 1120, 0], 'an aggregator says so of the last one')
})

t.test('an end that had closed when its probe went has ended', async t => {
  const told = begun()
  told.rows(A, 7, 'tcp_flow', { ...DIRECT, ...carrying(3, 1), state: 7, closed_ns: 75e9 })
  told.end(7, A)
  told.stage.leave(A)
  t.same(bytes(told, 'exported').slice(2), [[A, 3, 1063, 3]])
})

t.test('of a window that has not ended nothing is told', async t => {
  const told = new Told()
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(5, 1, 1000, 100) })
  told.end(0, A, B)
  told.rows(A, 1, 'tcp_flow', { ...DIRECT, ...carrying(1000, 100, 5, 1) })
  told.stage.leave(A)
  t.same(told.exported, [])
})

t.test('a client that is heard first when both close adds what it has more', async t => {
  const told = new Told()
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(5, 1, 1000, 9) })
  told.end(0, B)
  for (let window = 1; window < 8; window++) goesOn(told, window, B)
  const closed = { state: 7, closed_ns: 85e9 }
  told.rows(A, 8, 'tcp_flow', { ...DIRECT, ...carrying(1080, 10), ...closed })
  told.rows(B, 8, 'tcp_flow', { ...SERVER, ...carrying(0, 0, 10, 1), ...closed })
  told.silence(8, 9, A, B)
  only(t, told.aggregated, [{ total: { bytes: 1060 } }, { reason: 3 }])
  t.same(bytes(told)[1]?.slice(2), [1080, 20])
})
