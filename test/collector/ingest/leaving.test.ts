/** What the flow stage knows of runs is what `Ingest` knows of them. */

import t from 'tap'
import { Flows } from '../../../collector/flows/flows.ts'
import { Ingest } from '../../../collector/ingest/ingest.ts'
import { Probe } from './probe.ts'

function both(now: () => number = () => 0) {
  const options = { flows: true, maxLiveFlows: 1000, metrics: [], subnetMatch: 'first' as const }
  const flows = new Flows(options, [], { warn() {} }, now)
  return { flows, ingest: new Ingest(undefined, flows, now), store: flows.store }
}

t.test('runs that one connection makes up are forgotten, with their flows', async t => {
  const { ingest, store } = both()
  let most = 0
  for (let index = 0; index < 5000; index++) {
    const probe = new Probe(`forged ${index}`)
    ingest.receive(probe.rows(0, 2), undefined, 'stranger')
    most = Math.max(most, store.runs.size)
  }
  t.ok(most <= 65, `${most} runs at once`)
  t.equal(ingest.lost['evicted'], 5000 - 64, 'counted')
  t.ok(store.table.size <= 64 * 2)
})

t.test('a probe that says nothing for ten minutes is gone; one that has no rows to send is not', async t => {
  let now = 0
  const { ingest, store } = both(() => now)
  const [quiet, gone] = [new Probe('quiet'), new Probe('gone')]
  for (const probe of [quiet, gone]) {
    ingest.receive(probe.rows(0, 1))
    ingest.receive(probe.end(0))
  }
  t.equal(store.runs.size, 2)
  for (let window = 1; window <= 3; window++) {
    now = window * 201_000
    ingest.receive(quiet.end(window))
    ingest.expire()
    t.equal(store.runs.size, window < 3 ? 2 : 1)
  }
  t.same(
    [...store.runs].map(({ identity }) => identity.probe),
    ['quiet'],
  )
})
