import t from 'tap'
import { startLossy } from '../harness/lossy.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { holdFlows } from './held.ts'

const skip = needs('root', 'bpf', 'netns', 'gcc')
const HOST = 'lossy'
/** Each has two ends, and rows of 88 bytes: more than one message of a window. */
const FLOWS = 6000

t.test('probe:coverage says which windows and rows did not come', { skip }, async t => {
  await holdFlows(t, FLOWS)

  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector()
  /** Rows made and rows lost, and the label, by window. */
  const windows = new Map<number, { made: number; lost: number; time: number }>()
  let first: number | undefined
  const lossy = await startLossy(site.endpoint, ({ topic, head, parts }) => {
    const rows = parts.reduce((sum, { layout, bytes }) => sum + bytes.length / layout.size, 0)
    const window = windows.get(head.window) ?? { made: 0, lost: 0, time: 0 }
    windows.set(head.window, window)
    first ??= head.window + 2
    // of the windows from the first whole one on: a message of rows, the end, all, and then nothing
    const at = head.window - first
    const isEnd = topic === 'window'
    const isLost = at === 2 || (at === 1 && isEnd) || (at === 0 && !isEnd && window.lost === 0)
    window.made += rows
    if (isLost) window.lost += rows
    if (isEnd) window.time = head.time
    return isLost
  })
  t.teardown(() => lossy.close())
  await site.probe(['--host', HOST], [lossy.endpoint])

  const sql = `select epoch(time) as time, windows, rows from "probe:coverage" where host = '${HOST}' order by time`
  const samples = await until(
    'two whole windows after the losses',
    async () => {
      const found = await site.query(sql).catch(() => [])
      return (
        found.filter(({ time }) => Number(time) > (windows.get(first! + 2)?.time ?? Infinity)).length >= 2 &&
        found
      )
    },
    30_000,
  )
  const at = (window: number) => samples.filter(({ time }) => time === windows.get(first! + window)!.time)
  const { made, lost } = windows.get(first!)!
  t.ok(lost > 0 && lost < made, `of ${made} rows ${lost} were lost`)
  const near = (value: unknown, expected: number) => Math.abs(Number(value) - expected) < 1e-6
  t.equal(at(0).length, 1)
  t.equal(at(0)[0]?.['windows'], 0)
  t.ok(near(at(0)[0]?.['rows'], (100 * (made - lost)) / made), `${at(0)[0]?.['rows']} %`)
  t.match(
    at(1),
    [{ windows: 0, rows: null }],
    'without its end: the rows that came, of nobody knows how many',
  )
  t.match(at(2), [{ windows: 0, rows: 0 }], 'of one nothing came')
  t.match(at(3), [{ windows: 100, rows: 100 }])
  t.match(at(4), [{ windows: 100, rows: 100 }])
  t.match(await site.stats(), { lost: { incomplete: 2 } })
})
