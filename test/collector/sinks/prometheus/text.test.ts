import t from 'tap'
import type { Sample, Tags } from '../../../../collector/batch.ts'
import { catalogue } from '../../../../collector/metrics/catalogue.ts'
import { STEPS } from '../../../../collector/metrics/steps.ts'
import { Distribution } from '../../../../collector/sample/distribution.ts'
import { encodeMetric, labelsOf } from '../../../../collector/sinks/prometheus/text.ts'
import { Histogram } from '../../../../wire/count/histogram.ts'
import { lint } from '../../../harness/prometheus.ts'
import { needs } from '../../../harness/skip.ts'

const metricOf = (name: string) => catalogue.find(metric => metric.name === name)!
const measurementOf = (name: string) => ({
  name,
  fields: metricOf(name).fields.map(({ name }) => name),
})

function textOf(name: string, samples: readonly [Tags, ...Sample['values']][]): string {
  const told = samples.map(([tags, ...values]) => ({ tags, values }))
  return [...encodeMetric(metricOf(name), { samples: told, distributions: [] })].join('')
}

// Checked by hand against prometheus.io/docs/instrumenting/exposition_formats, once.
t.test('a line for each value, in base units, after help and type', async t => {
  const text = textOf('container:rtt', [
    [{ container: 'a', host: 'h' }, 1.5, 20],
    [{ container: 'b', host: 'h' }, undefined, 0.25],
  ])
  t.equal(
    text,
    `# HELP sockflux_container_rtt_seconds ${metricOf('container:rtt').help}
# TYPE sockflux_container_rtt_seconds gauge
sockflux_container_rtt_seconds{container="a",host="h",role="client"} 0.0015
sockflux_container_rtt_seconds{container="a",host="h",role="server"} 0.02
sockflux_container_rtt_seconds{container="b",host="h",role="server"} 0.00025
`,
  )
})

t.test('what was not measured, or is not finite, has no line, and no line has no head', async t => {
  t.equal(textOf('container:rtt', [[{ host: 'h' }, undefined, Number.NaN]]), '')
  t.equal(textOf('container:rtt', []), '')
})

t.test('of two samples with the same tags the first is told', async t => {
  const twice = textOf('pod:num_containers', [
    [{ pod: 'web-0' }, 2],
    [{ pod: 'web-0' }, 1],
  ])
  t.match(twice, /^sockflux_pod_containers\{pod="web-0"\} 2\n$/m)
  t.notMatch(twice, / 1\n/)
})

t.test('labels: characters that Prometheus does not take, and empty values', async t => {
  t.equal(labelsOf({ pod: 'a"b\\c\nd', namespace: '' }), 'pod="a\\"b\\\\c\\nd"')
  t.equal(
    labelsOf({ 'label_app.kubernetes.io/name': 'x', label_app_kubernetes_io_name: 'y' }),
    'label_app_kubernetes_io_name="x"',
    'a name is there once',
  )
})

t.test('a histogram: steps that add up, sum and count', async t => {
  const histogram = new Histogram()
  for (const us of [10, 20, 20, 100_000_000]) histogram.add(us)
  const distribution = new Distribution()
  distribution.add(histogram)
  const measurement = measurementOf('pod:connect')
  const told = {
    samples: [],
    distributions: [{ measurement, tags: { pod: 'p' }, distribution: distribution.copy() }],
  }
  const lines = [...encodeMetric(metricOf('pod:connect'), told)].join('').split('\n')
  const name = 'sockflux_pod_connect_seconds'
  t.same(lines.slice(1, 5), [
    `# TYPE ${name} histogram`,
    `${name}_bucket{pod="p",le="0.000016"} 1`,
    `${name}_bucket{pod="p",le="0.000032"} 3`,
    `${name}_bucket{pod="p",le="0.000064"} 3`,
  ])
  t.same(lines.slice(-5), [
    `${name}_bucket{pod="p",le="67.108864"} 3`,
    `${name}_bucket{pod="p",le="+Inf"} 4`,
    `${name}_sum{pod="p"} 100.00005`,
    `${name}_count{pod="p"} 4`,
    '',
  ])
  t.equal(lines.length, 2 + STEPS.length + 1 + 2 + 1)
})

t.test('promtool finds no fault in any row of the tables', { skip: needs('prometheus') }, async t => {
  const distribution = new Distribution()
  const tags = { host: 'h' }
  const text = catalogue.map(metric => {
    const measurement = measurementOf(metric.name)
    const distributions = metric.distribution
      ? [{ measurement, tags, distribution: distribution.copy() }]
      : []
    const samples = [{ tags, values: metric.fields.map((_, at) => at) }]
    return [...encodeMetric(metric, { samples, distributions })].join('')
  })
  // a gauge should not end in _count: the names are those of another program
  const found = (await lint(text.join(''))).split('\n').filter(line => !/^antrea_\w+ .*"_count"/.test(line))
  t.equal(found.join('\n'), '')
  t.match(await lint('# TYPE sockflux_x counter\nsockflux_x 1\n'), /sockflux_x/, 'it does find faults')
})
