/**
 * The rules that every dashboard keeps: those of Grafana's dashboard-linter that a dashboard without Loki can break, and our
 * own for InfluxQL and for files that are provisioned.
 */

import t, { type Test } from 'tap'
import { catalogue } from '../../collector/metrics/catalogue.ts'
import { type File, files, type Panel, panelsOf } from './files.ts'

/** Rules that are not kept, and why. */
const EXCLUDED = {
  'template-job-rule': 'names begin with sockflux_: no other job has them',
  'template-instance-rule': 'an instance is a collector; the variable host is what it is for others',
  'target-job-rule': 'see template-job-rule',
  'target-instance-rule': 'see template-instance-rule',
  'target-logql-rule': 'no Loki',
  'target-logql-auto-rule': 'no Loki',
  'target-rate-interval-rule, tables': 'a table is of the whole range: $__range',
  'target-counter-agg-rule, losses':
    'increase() does not see the first rise of a sparse counter; the total so far is no rate',
} as const
t.comment(EXCLUDED)

/** Of grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options: those that are used. */
const UNITS = ['short', 'cps', 'pps', 'bytes', 'Bps', 'ms', 's', 'percent', 'percentunit']
const FILTERS = ['host', 'namespace', 'pod', 'container']

const each = (check: (t: Test, file: File) => void) => async (t: Test) => {
  for (const file of files) check(t, file)
}
const nameOf = ({ dialect, name }: File, panel?: Panel) =>
  `${dialect} ${name}${panel ? `: ${panel.title}` : ''}`

t.test('there are nine dashboards for either database', async t => {
  t.equal(files.length, 18)
  t.equal(new Set(files.map(({ dashboard }) => dashboard.uid)).size, 18, 'each with a uid of its own')
  for (const { dashboard } of files) t.match(dashboard.uid, /^[a-z-]{1,40}$/)
})

t.test(
  'template-datasource, template-on-time-change-reload, template-label-promql: variables',
  each((t, file) => {
    const { list } = file.dashboard.templating
    const [datasource, ...others] = list
    t.match(datasource, {
      ...{ name: 'datasource', label: 'Data source', type: 'datasource' },
      query: file.dialect === 'influxql' ? 'influxdb' : 'prometheus',
    })
    const policy = file.dialect === 'influxql' ? ['rp'] : []
    const names = others.map(({ name }) => name)
    t.same(names.slice(0, policy.length), policy)
    const filters = names.slice(policy.length)
    t.same(
      filters,
      FILTERS.filter(name => filters.includes(name)),
      nameOf(file),
    )
    t.ok(filters.includes('host'))
    for (const variable of others) {
      t.equal(variable.refresh, 2, `${nameOf(file)} ${variable.name}: read again when the time changes`)
      t.equal(variable.datasource?.uid, '${datasource}')
      const query = typeof variable.query === 'string' ? variable.query : variable.query.query
      t.match(query, file.dialect === 'influxql' ? /^SHOW / : /^label_values\(sockflux_\w+/)
      if (variable.name === 'rp') {
        t.match(variable, { current: { value: 'autogen' } }, 'the policy of the windows')
        continue
      }
      t.match(variable, { multi: true, includeAll: true, allValue: '.*' }, `${variable.name} has All`)
      const asked = query.match(/\$\{?(\w+)/g)?.map(text => text.replace(/\W/g, '')) ?? []
      t.same(asked, filters.slice(0, filters.indexOf(variable.name)), 'it follows those before it')
    }
  }),
)

t.test(
  'panel-datasource, panel-title-description, panel-units, panel-no-targets, uneditable-dashboard',
  each((t, file) => {
    const { dashboard } = file
    t.equal(dashboard.editable, false)
    for (const panel of panelsOf(dashboard)) {
      const name = nameOf(file, panel)
      t.equal(panel.datasource?.uid, '${datasource}', name)
      t.ok(panel.title.length > 2, name)
      const [means, bad, ...more] = panel.description?.split('\n\n') ?? []
      t.ok(
        means!.length > 10 && bad!.length > 10 && more.length === 0,
        `${name} says what it means and what to do`,
      )
      t.ok(UNITS.includes(panel.fieldConfig?.defaults.unit ?? ''), `${name} has a unit`)
      t.ok(panel.targets!.length > 0, name)
      const letters = panel.targets!.map(({ refId }) => refId)
      t.equal(new Set(letters).size, letters.length)
    }
    const titles = panelsOf(dashboard).map(({ title }) => title)
    t.same([...new Set(titles)], titles, `${nameOf(file)}: no title twice`)
  }),
)

const MEASUREMENTS = new Map(
  catalogue.map(({ name, fields }) => [name, fields.map(({ name }) => name)] as const),
)

t.test('InfluxQL: time filter, interval, gaps, regular expressions, names of the catalogue', async t => {
  for (const file of files.filter(({ dialect }) => dialect === 'influxql'))
    for (const panel of panelsOf(file.dashboard))
      for (const { query, rawQuery, resultFormat, expression } of panel.targets!) {
        const name = nameOf(file, panel)
        if (expression) continue
        t.equal(rawQuery, true)
        const froms = query!.split(/\bFROM /).length - 1
        const bounded = resultFormat === 'time_series' ? froms : froms - 1 // but the outermost
        t.equal(
          query!.split('$timeFilter').length - 1,
          bounded,
          `${name}: a bound on the time at every level`,
        )
        if (resultFormat === 'time_series') {
          t.match(query, /GROUP BY time\(\$__interval\)[^)]*fill\(null\)$/, `${name}: null is a gap`)
        } else t.match(query, / AS "[^"]+" FROM /, `${name}: a column with a name`)
        const [, measurement] = /FROM "\$rp"\."([^"]+)"/.exec(query!)!
        const field = /\("(?!value)(\w+)"\)/.exec(query!)![1]!
        t.ok(MEASUREMENTS.get(measurement!)?.includes(field), `${name}: ${measurement} ${field}`)
        for (const [, regex] of query!.matchAll(/[=!]~ (\/.*?\/)(?= )/g))
          t.match(regex, /^\/\^(\$\{\w+:regex\}|\([\w|]*\))\$\/$/, `${name}: a whole value, escaped`)
        for (const [, variable] of query!.matchAll(/\$\{?(\w+)/g))
          t.ok(
            [
              'timeFilter',
              '__interval',
              'rp',
              ...file.dashboard.templating.list.map(({ name }) => name),
            ].includes(variable!),
            `${name}: ${variable} is there`,
          )
        if (/derivative|difference/.test(query!))
          t.match(
            query,
            /^SELECT \w+\("value"\).* FROM \(SELECT non_negative_\w+\(last\("\w+"\).*, \* fill\(none\)\)/,
            `${name}: of each series, then added up`,
          )
      }
})

t.test('PromQL: ranges, counters, variables, names of the catalogue', async t => {
  for (const file of files.filter(({ dialect }) => dialect === 'prometheus'))
    for (const panel of panelsOf(file.dashboard))
      for (const { expr, instant } of panel.targets!) {
        const name = nameOf(file, panel)
        const sparse = /sockflux_(probe|collector)_lost_total/.test(expr!)
        for (const [, range] of expr!.matchAll(/\[([^\]:]+)[\]:]/g))
          t.equal(range, instant ? '$__range' : '$__rate_interval', name)
        // a counter stands in rate() or increase(), unless it is one of the exclusions above
        for (const [all] of expr!.matchAll(/(\w+\()?sockflux_\w+_(total|bucket)\b/g))
          t.ok(/^(rate|increase)\(/.test(all) || sparse, `${name}: ${all}`)
        for (const [, label, value] of expr!.matchAll(/(\w+)=~"(\$[^"]*)"/g))
          t.equal(value, `$${label}`, `${name}: Grafana escapes it by itself`)
      }
})

t.test('null is a gap in every line', async t => {
  for (const file of files)
    for (const panel of panelsOf(file.dashboard).filter(({ type }) => type === 'timeseries'))
      t.equal(panel.fieldConfig!.defaults.custom!['spanNulls'], false, nameOf(file, panel))
})

t.test('panels lie side by side in 24 columns, and nothing overlaps', async t => {
  for (const file of files) {
    const { panels } = file.dashboard
    t.same(
      panels.map(({ id }) => id),
      panels.map((_, at) => at + 1),
      'ids are unique',
    )
    const taken = new Set<string>()
    for (const { gridPos, title } of panels) {
      t.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24 && gridPos.w > 0 && gridPos.h > 0, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          if (taken.has(`${x} ${y}`)) t.fail(`${nameOf(file)}: ${title} overlaps at ${x}, ${y}`)
          taken.add(`${x} ${y}`)
        }
    }
  }
})

t.test('links lead to dashboards that exist, and keep the time and the variables', async t => {
  const byUid = new Map(files.map(({ dashboard }) => [dashboard.uid, dashboard]))
  let links = 0
  for (const file of files) {
    t.match(file.dashboard.links, [{ type: 'dashboards', keepTime: true, includeVars: true }])
    t.same(file.dashboard.links[0]!.tags, ['sockflux', file.dialect], 'only those of the same database')
    t.same(file.dashboard.tags, ['sockflux', file.dialect])
    for (const [url, uid] of file.text.matchAll(/\/d\/([\w-]+)\?[^"\\]*(?:\\"[^"\\]*\\"[^"\\]*)*/g)) {
      links++
      const there = byUid.get(uid!)
      t.ok(there, `${nameOf(file)}: ${uid}`)
      t.ok(uid!.endsWith(file.dialect), 'of the same database')
      t.ok(url.includes('${__url_time_range}') && url.includes('${datasource:queryparam}'), url)
      t.equal(url.includes('${rp:queryparam}'), file.dialect === 'influxql', url)
      for (const [, variable] of url.matchAll(/var-(\w+)=/g))
        t.ok(
          there!.templating.list.some(({ name }) => name === variable),
          `${uid} has ${variable}`,
        )
    }
  }
  t.ok(links > 20, `${links} links`)
})

t.test('windows that are not whole are marked on every dashboard', async t => {
  for (const file of files) {
    const marks = file.dashboard.annotations.list
    t.equal(marks.length, 3, nameOf(file))
    for (const { name, target } of marks) t.match(target.datasource.uid, '${datasource}', name)
  }
})

t.test('nothing in the files asks a person: they are provisioned', async t => {
  for (const file of files) t.notMatch(file.text, /__inputs|__requires|\$\{?DS_/, nameOf(file))
})
