import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import type { Folded } from '../../../collector/ingest/folded.ts'
import { Ledger, type LedgerView } from '../../../collector/ledger/ledger.ts'
import type { Settled } from '../../../collector/settled.ts'
import { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import { temporary } from '../../harness/embedded.ts'
import { windowOf } from '../given.ts'

const log = new ThrottledLog(pino({ level: 'silent' }))
const nothing = { batches: 0, samples: 0 }

function window(index: number, rows: number, more: Partial<Folded> = {}): Folded {
  const fold = new Fold()
  fold.rows = rows
  return windowOf(fold, { key: { host: 'h', boot: 'b', probe: 'p', window: index }, ...more })
}

function open(t: Test, directory?: string) {
  const ledger = new Ledger(directory, '/run/sockflux/collector.sock')
  const settle: Settled[] = []
  const sinks = {
    'influxdb x': {
      ...{ produced: { batches: 3, samples: 30 }, stored: { batches: 1, samples: 10 }, refused: nothing },
      ...{ lost: { dropped: { batches: 1, samples: 10 } }, waiting: { batches: 1, samples: 10 } },
    },
  }
  ledger.follow({ write: (_window, _ifid, settled) => settle.push(settled), settled() {} }, () => sinks, log)
  t.teardown(() => ledger.close())
  return { ledger, settle, end: (given: Folded) => ledger.write(given, '0', () => {}) }
}

/** produced = stored + refused + lost + waiting */
function balanced(t: Test, { probes }: LedgerView) {
  for (const { host, produced, stored, refused, lost, waiting } of probes)
    for (const unit of ['windows', 'rows'] as const)
      t.equal(
        produced[unit],
        stored[unit] + refused[unit] + lost.missing[unit] + lost.dropped[unit] + waiting[unit],
        `${unit} of ${host}`,
      )
}

t.test('each window is stored, refused, lost or waits, and each row', async t => {
  const { ledger, settle, end } = open(t)
  end(window(0, 3, { partial: true }))
  end(window(1, 10, { made: 10 }))
  end(window(4, 6, { made: 8, missed: 2 }))
  end(window(5, 7))
  balanced(t, ledger.view())
  t.match(ledger.view().probes, [{ waiting: { windows: 3, rows: 23 }, refused: { windows: 1, rows: 3 } }])
  settle[1]!(true)
  settle[2]!(false)
  balanced(t, ledger.view())
  t.match(ledger.view().probes, [
    {
      produced: { windows: 6, rows: 28 },
      stored: { windows: 1, rows: 10 },
      lost: { missing: { windows: 2, rows: 2 }, dropped: { windows: 1, rows: 6 } },
      waiting: { windows: 1, rows: 7 },
    },
  ])
})

t.test('what is settled is kept over restarts; what waited in memory comes again', async t => {
  const directory = await temporary(t)
  const first = open(t, directory)
  first.end(window(1, 10))
  first.end(window(2, 5))
  first.settle[0]!()
  await first.ledger.close()
  const second = open(t, directory)
  t.equal(second.ledger.view().since, first.ledger.view().since)
  t.match(second.ledger.view().probes, [
    {
      host: 'h',
      produced: { windows: 1, rows: 10 },
      stored: { windows: 1, rows: 10 },
      waiting: { windows: 0 },
    },
  ])
  t.match(second.ledger.saved?.sinks, { 'influxdb x': { lost: { dropped: { samples: 10 } } } })
  second.end(window(2, 5))
  balanced(t, second.ledger.view())
})

t.test('a file that is damaged, cut or of another version begins a new one', async t => {
  const directory = await temporary(t)
  const first = open(t, directory)
  first.end(window(1, 10))
  first.settle[0]!()
  await first.ledger.close()
  const [name] = readdirSync(directory)
  const path = join(directory, name!)
  const text = readFileSync(path, 'utf8')
  const wrong = [
    '',
    text.slice(0, -20),
    text.replace('"version":1', '"version":2'),
    text.replace('"rows":10', '"rows":-1'),
    text.replace('"rows":10', '"rows":"10"'),
    '{"version":1}',
    'null',
  ]
  for (const one of wrong) {
    t.not(one, text)
    writeFileSync(path, one)
    t.same(open(t, directory).ledger.view().probes, [], one.slice(0, 60))
  }
})

t.test('without a spool it says that nothing is kept', async t => {
  t.equal(open(t).ledger.view().file, undefined)
})
