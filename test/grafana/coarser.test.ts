/** Panels over the series by the minute: what moves evenly is there as it is over the windows. */

import t, { type Test } from 'tap'
import { catalogue } from '../../collector/metrics/catalogue.ts'
import { tagsOf } from '../../collector/metrics/metric.ts'
import { setup } from '../cli/setup/influxdb/given.ts'
import { type Influx, startInflux } from '../harness/influx.ts'
import { needs } from '../harness/skip.ts'
import { type Line, linesOf } from './ask.ts'
import { files, panelsOf, type Target } from './files.ts'
import { influxqlWith, type Range } from './replace.ts'

const skip = needs('influxd')
const [STEP, MINUTE, HOUR] = [10, 60, 3600]
const LAST_HOUR = Math.floor(Date.now() / 1000 / HOUR) * HOUR - HOUR
const [FROM, TO] = [LAST_HOUR - HOUR, LAST_HOUR + HOUR / 2]

/** Values that are asked for somewhere. */
const TAGS: Readonly<Record<string, string>> = {
  role: 'client',
  namespace: 'trade',
  stage: 'queue',
  reason: 'full',
}
/** A gauge stays, a counter rises by one per second. */
async function fill(influx: Influx): Promise<void> {
  const lines: string[] = []
  for (let time = FROM; time < TO; time += STEP)
    for (const metric of catalogue) {
      const tags = tagsOf(metric).map(tag => `${tag}=${TAGS[tag] ?? `a-${tag}`}`)
      const fields = metric.fields.map(({ name, type }) => `${name}=${type === 'counter' ? time - FROM : 20}`)
      lines.push(`${[metric.name, ...tags].join(',')} ${fields.join(',')} ${time}`)
    }
  const options = { method: 'POST', body: lines.join('\n') }
  t.equal((await fetch(`${influx.url}/write?db=sockflux&precision=s`, options)).status, 204)
}

/** Neither the first nor the last intervals, which are parts of one. */
const isWhole = (time: number): boolean => time >= FROM + 1200 && time < TO - 1200
const valuesOf = (lines: readonly Line[], isTotal: boolean) =>
  lines.flatMap(({ values }) => values.filter(([time]) => isTotal || isWhole(time)).map(([, value]) => value))
const nearly = (value: number): number => Number(value.toPrecision(6))

const targets = files
  .filter(({ dialect }) => dialect === 'influxql')
  .flatMap(({ name, dashboard }) =>
    panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
      targets.map(target => ({ name, title, target })),
    ),
  )
  .filter(({ target }) => target.query !== undefined)

t.test('every panel says the same over the coarser series', { skip }, async t => {
  const influx = await startInflux()
  t.teardown(() => influx.remove())
  const wanted = { database: 'sockflux', metrics: catalogue }
  await setup(influx.url, { wanted })
  await fill(influx)
  await setup(influx.url, { wanted, backfill: { from: '3h', to: undefined } })
  // neither begins nor ends with an interval, and has whole minutes around it
  const range: Range = { from: FROM + 601, to: TO - 599, interval: MINUTE }
  const ask = async (target: Target, rp: string, interval: number) => {
    const rows = await influx.query(
      influxqlWith(target.query!, { rp: [rp] }, { ...range, interval }),
      'sockflux',
    )
    return valuesOf(linesOf(rows), target.resultFormat === 'table').map(nearly)
  }
  for (const { name, title, target } of targets)
    for (const interval of [MINUTE, 5 * MINUTE]) {
      const windows = await ask(target, 'autogen', interval)
      const minutes = await ask(target, 'sockflux_1m', interval)
      const what = `${name}, ${title} ${target.refId} by ${interval} s`
      t.ok(minutes.length > 0, `${what}: something`)
      if (target.resultFormat === 'table') checkTotals(t, minutes, windows, what)
      // what is counted in windows is counted in minutes
      else if (target.query!.includes('count(')) t.same(minutes, windows.map(times(STEP / MINUTE)), what)
      else t.same(minutes, windows, what)
    }
})

const times = (factor: number) => (value: number) => value * factor

/** The ends of a range of an hour are no whole minutes. */
function checkTotals(t: Test, minutes: readonly number[], windows: readonly number[], what: string): void {
  t.equal(minutes.length, windows.length, what)
  for (const [at, value] of windows.entries())
    t.ok(Math.abs(minutes[at]! - value) <= 0.05 * value, `${what}: ${minutes[at]} for ${value}`)
}
