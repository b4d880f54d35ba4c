/** Every query of every file, against the databases that the real pipeline filled. */

import { availableParallelism, totalmem } from 'node:os'
import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { needs } from '../harness/skip.ts'
import { until } from '../harness/until.ts'
import { ask, askInflux, askPrometheus, type Line, percent } from './ask.ts'
import { type File, files, panelsOf, paths, read, rulesOf, type Target } from './files.ts'
import { type Chosen, chronografWith, influxqlWith, promqlWith, type Range } from './replace.ts'
import {
  CART_FLOWS,
  FAILED,
  HOST,
  NAMESPACE,
  openWorld,
  REPORTED,
  SHOP_FLOWS,
  TROUBLED,
  type World,
} from './world.ts'

const skip = needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss', 'containerd', 'influxd', 'prometheus')
const ROUNDS = 5

/** What legitimately has no data here, by dialect, dashboard and panel, and why. */
const EMPTY: Readonly<Record<string, string>> = {}

const isThere = (lines: readonly Line[]): boolean => lines.some(({ values }) => values.length > 0)
const sum = (lines: readonly Line[]): number =>
  lines.reduce((total, { values }) => values.reduce((total, [, value]) => total + value, total), 0)

t.test('every query of dashboards, variables, marks and alerts gives data', { skip }, async t => {
  const world = await openWorld({ rounds: ROUNDS })
  t.teardown(() => world.close())
  const range: Range = { from: world.from, to: world.to, interval: 1 }
  const unaligned: Range = { ...range, from: world.from - (world.from % 3) + 1.4, interval: 3 }
  const { shop, cart } = world.pair
  const ids = [shop, cart].flatMap(({ pod }) => Object.values(pod.containers).map(({ id }) => shortId(id)))
  const chosen: Chosen = {
    ...{ host: [HOST, TROUBLED], namespace: [NAMESPACE], pod: ['shop-0', 'cart-0'], container: ids },
  }
  for (const file of files)
    await t.test(`${file.dialect} ${file.name}`, async t => {
      await checkVariables(t, world, file, range)
      await checkPanels(t, world, file, {}, range)
      // as it is in practice: the range does not begin with an interval
      await checkPanels(t, world, file, chosen, unaligned)
      await checkMarks(t, world, file, range)
    })
  await t.test('the values are those of the ledger', t => checkLedger(t, world, range))
  await t.test('Chronograf', t => checkChronograf(t, world, unaligned))
  await t.test('alerts', t => checkAlerts(t, world, range))
})

async function checkPanels(
  t: Test,
  world: World,
  { dialect, name, dashboard }: File,
  chosen: Chosen,
  range: Range,
) {
  const how = chosen['host'] ? 'chosen' : 'all'
  for (const { title, targets = [] } of panelsOf(dashboard)) {
    const answers = new Map<string, Line[]>()
    for (const target of targets) {
      const what = `${title} ${target.refId}, ${how}`
      const lines = target.expression
        ? percent(answers.get('A')!, answers.get('B')!)
        : await ask(world, target, chosen, range)
      answers.set(target.refId, lines)
      const reason = EMPTY[`${dialect} ${name} ${title} ${target.refId}`]
      if (reason) t.comment(`${what}: ${reason}`)
      else t.ok(isThere(lines), what, { target })
    }
  }
}

/** Selector and label of `label_values(selector, label)`. */
const LABEL_VALUES = /^label_values\((.*), (\w+)\)$/

async function checkVariables(t: Test, world: World, { dialect, dashboard }: File, range: Range) {
  for (const { name, query } of dashboard.templating.list) {
    if (name === 'datasource') continue
    const text = typeof query === 'string' ? query : query.query
    if (dialect === 'influxql') {
      const rows = await world.influx.query(influxqlWith(text, {}, range), 'sockflux')
      t.ok(rows.length > 0, `values of ${name}`, { text })
      continue
    }
    const [, selector, label] = LABEL_VALUES.exec(text)!
    const match = new URLSearchParams({ 'match[]': promqlWith(selector!, {}, range) })
    const answer = await fetch(`${world.prometheus.url}/api/v1/label/${label}/values?${match}`)
    const { data } = (await answer.json()) as { data: string[] }
    t.ok(data.length > 0, `values of ${name}`, { text })
  }
}

async function checkMarks(t: Test, world: World, { dashboard }: File, range: Range) {
  for (const { name, target } of dashboard.annotations.list)
    t.ok(isThere(await ask(world, target, {}, range)), name, { target })
}

/** The lines of a panel's first target that have these tags. */
async function linesOf(world: World, of: string, title: string, tags: Line['tags'], range: Range, ref = 'A') {
  const { dashboard } = files.find(({ dialect, name }) => `${dialect} ${name}` === of)!
  const panel = panelsOf(dashboard).find(panel => panel.title === title)!
  const target = panel.targets!.find(({ refId }) => refId === ref)!
  const lines = await ask(world, target, { host: [HOST, TROUBLED] }, range)
  return lines.filter(line => Object.entries(tags).every(([tag, value]) => line.tags[tag] === value))
}

async function checkLedger(t: Test, world: World, range: Range) {
  const { pair, ledger, steady, rounds } = world
  const flows = (who: string, role: 'client' | 'server') => ledger.flows(who, role, steady).least
  t.same([flows('shop', 'client'), flows('cart', 'client')], [SHOP_FLOWS, CART_FLOWS])
  const all = SHOP_FLOWS + CART_FLOWS
  const { main, idle: other } = pair.shop.pod.containers
  const [container, idle] = [shortId(main.id), shortId(other.id)]
  const at: readonly [string, string, Line['tags'], number][] = [
    ['namespaces', 'Flows as server', { namespace: NAMESPACE }, all],
    ['pods', 'Flows as client', { namespace: NAMESPACE, pod: 'shop-0' }, SHOP_FLOWS],
    ['containers', 'Flows as client', { container }, SHOP_FLOWS],
    ['containers', 'Flows as server', { container }, CART_FLOWS],
    ['processes', 'Flows as client', { process: 'load', container }, SHOP_FLOWS],
    ['cluster', 'Flows of workloads, as client', { workload: 'shop', namespace: NAMESPACE }, SHOP_FLOWS],
    ['host', 'Memory', { host: HOST }, totalmem()],
    ['host', 'Load average', { host: HOST }, availableParallelism()],
  ]
  for (const dialect of ['influxql', 'prometheus'])
    for (const [name, title, tags, expected] of at) {
      const ref = name === 'host' ? 'B' : 'A' // the second line has the total
      const lines = await linesOf(world, `${dialect} ${name}`, title, tags, range, ref)
      const values = lines.flatMap(({ values }) => values.filter(([time]) => time === steady))
      t.same(
        values.map(([, value]) => value),
        [expected],
        `${dialect} ${name} ${title}`,
      )
    }
  for (const dialect of ['influxql', 'prometheus']) {
    for (const [reason, count] of Object.entries(REPORTED)) {
      const [stage, why] = reason.split('/') as [string, string]
      const lines = await linesOf(world, `${dialect} health`, 'Lost so far', { stage, reason: why }, range)
      t.equal(sum(lines), count, `${dialect} health: ${reason}`)
    }
    // a rate is spread over the range behind it, which has to be over
    // windows end with the second: between two of them no step of the query falls on a rise
    const later = { ...range, from: range.from + 0.5, to: Math.floor(Date.now() / 1000) + 0.5 }
    const failed = await linesOf(world, `${dialect} tcp`, 'Failed connects', { container: idle }, later)
    checkNear(t, dialect, 'tcp: failed connects', sum(failed), rounds * FAILED)
    const talkers = await linesOf(world, `${dialect} overview`, 'Top talkers', { container }, later)
    checkNear(t, dialect, 'overview: bytes sent', sum(talkers), world.sent)
  }
}

/** PromQL extrapolates to the ends of its range, by a part of the time between two scrapes. */
function checkNear(t: Test, dialect: string, what: string, found: number, expected: number) {
  const off = Math.abs(found - expected) / expected
  t.ok(off <= (dialect === 'influxql' ? 1e-9 : 0.1), `${dialect} ${what}: ${found} of ${expected}`)
}

interface Cell {
  readonly name: string
  readonly queries: readonly { readonly query: string }[]
}

async function checkChronograf(t: Test, world: World, range: Range) {
  for (const path of paths('chronograf/*/*')) {
    const file = JSON.parse(read(path)) as {
      dashboard?: { cells: Cell[] }
      data?: { cells: Cell[] }
      cells?: Cell[]
    }
    const { cells } = file.dashboard ?? file.data ?? file
    for (const { name, queries } of cells!)
      for (const { query } of queries)
        t.ok(isThere(await askInflux(world, chronografWith(query, range))), `${path}: ${name}`, { query })
  }
}

async function checkAlerts(t: Test, world: World, range: Range) {
  // what takes minutes there takes seconds here
  const sooner = (text: string) => text.replaceAll('time(1m)', 'time(5s)')
  for (const { title, data } of rulesOf('influxdb1'))
    for (const { datasourceUid, model } of data)
      if (datasourceUid !== '__expr__') {
        const lines = await askInflux(world, influxqlWith(sooner(model.query!), {}, range))
        t.ok(isThere(lines), `${title} over InfluxDB`, { model })
      }
  const asked = (model: Target, range: Range) => askPrometheus(world, model.expr!, range, true)
  const silent = 'A probe is silent'
  const rules = rulesOf('prometheus').map(({ title, data }) => ({ title, model: data[0]!.model }))
  for (const { title, model } of rules) {
    const lines = await asked(model, range)
    t.equal(isThere(lines), title !== silent, `${title} over Prometheus`, { model })
  }
  await world.probe.close()
  const { model } = rules.find(({ title }) => title === silent)!
  const lines = await until('the silence', async () => {
    const to = Date.now() / 1000
    const lines = await asked(model, { ...range, to })
    return lines.length > 0 && lines
  })
  t.match(lines, [{ tags: { host: HOST } }], 'a probe that stopped is silent')
}
