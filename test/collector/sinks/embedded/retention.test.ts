import t from 'tap'
import { dayOf, expired, oldestDay } from '../../../../collector/sinks/embedded/retention.ts'

const files = [
  { name: '2026-01-02.duckdb', bytes: 10 },
  { name: '2026-01-02.duckdb.wal', bytes: 5 },
  { name: '2025-12-30.duckdb', bytes: 10 },
  { name: '2025-12-31.duckdb.damaged-1', bytes: 10 },
  { name: '2026-01-01.duckdb', bytes: 10 },
  { name: 'lock', bytes: 100 },
]

t.test('days are UTC days', async t => {
  t.equal(dayOf(1_767_323_040), '2026-01-02')
  t.equal(dayOf(1_767_311_999), '2026-01-01')
  t.equal(oldestDay('2026-01-02', { maxAgeDays: 3, maxBytes: 0 }), '2025-12-30')
})

t.test('nothing goes while all is within its bounds; other files do not count', async t => {
  t.same(expired(files, '2026-01-02', { maxAgeDays: 3, maxBytes: 45 }), { days: [], bytes: 45 })
})

t.test('age removes a day with its damaged files', async t => {
  t.same(expired(files, '2026-01-02', { maxAgeDays: 1, maxBytes: 45 }), {
    days: ['2025-12-30', '2025-12-31'],
    bytes: 25,
  })
})

t.test('size removes the oldest days first and never today', async t => {
  t.same(expired(files, '2026-01-02', { maxAgeDays: 9, maxBytes: 44 }), { days: ['2025-12-30'], bytes: 35 })
  t.same(expired(files, '2026-01-02', { maxAgeDays: 9, maxBytes: 1 }), {
    days: ['2025-12-30', '2025-12-31', '2026-01-01'],
    bytes: 15,
  })
})
