import t from 'tap'
import { graphBuilder } from '../../grafana/classic/graph.ts'
import { files } from '../../grafana/generate.ts'
import { influxql, inGrafana } from '../../grafana/query/influxql.ts'
import { promql } from '../../grafana/query/promql.ts'
import { increase, level, type Panel, rate } from '../../grafana/table/panel.ts'
import { paths, read } from './files.ts'

const FOLDERS = '{influxql,prometheus,provisioning,rules,chronograf}/**/*.*'

t.test('the files are those that the tables make, and the same each time', async t => {
  const made = files()
  t.same(paths(FOLDERS), [...made.keys()].sort(), 'no file is missing or left over: else run `make generate`')
  for (const [path, text] of made) t.equal(read(path), text, `${path}: else run \`make generate\``)
  t.same(files(), made)
})

t.test('a misspelt measurement or field does not compile, and is no query', async t => {
  const wrong = [
    // @ts-expect-error: no measurement has this name
    level('container:num_flow', 'as_client'),
    // @ts-expect-error: the measurement has no such field
    level('container:num_flows', 'as_clients'),
    // @ts-expect-error: the field has another name in the table than in Prometheus
    rate('probe:stats', 'memory_bytes'),
  ]
  for (const query of wrong) {
    t.throws(() => influxql(query, inGrafana([])), /correct the table of panels/)
    t.throws(() => promql(query, []), /correct the table of panels/)
  }
  t.throws(
    () => influxql(level('host:num_flows', 'as_client', { by: ['pod'] }), inGrafana([])),
    /host:num_flows has no tag pod: correct the table of panels/,
  )
})

t.test('a graph has edges from its first tag to its second one', async t => {
  const graph = (...by: string[]): Panel => ({
    ...{ title: 'Nodes', means: '', bad: '', kind: 'graph', width: 12 },
    queries: [increase('node:traffic', 'bytes_sent', { by, legend: 'sent' })],
  })
  const names = { node: 'source', peer_node: 'target' }
  for (const [dialect, value] of [
    ['influxql', 'sent'],
    ['prometheus', 'Value'],
  ] as const) {
    const { transformations } = graphBuilder(graph('node', 'peer_node'), dialect).build()
    t.match(
      transformations?.find(({ id }) => id === 'organize'),
      { options: { renameByName: { ...names, [value]: 'mainstat' } } },
    )
    t.match(
      transformations?.find(({ id }) => id === 'filterByValue'),
      { options: { type: 'include', filters: [{ fieldName: 'mainstat', config: { id: 'greater' } }] } },
      'nothing is no edge',
    )
  }
  t.throws(
    () => graphBuilder(graph('node'), 'influxql'),
    /Nodes: a graph has one query by two tags: correct the table of panels/,
  )
})
