import t from 'tap'
import { complete, known } from '../../../cli/prompt/completion.ts'

const tables = new Map([
  ['container:num_flows', ['time', 'container', 'as_client']],
  ['container:rtt', ['time', 'container', 'as_server']],
  ['host:mem', ['time', 'used']],
])
const found = (line: string) => complete(line, tables)

t.test('measurements, in the quotes that their colon needs', async t => {
  t.same(found('select * from con'), [['"container:num_flows"', '"container:rtt"'], 'con'])
  t.same(found('select * from "container:n'), [['"container:num_flows"'], '"container:n'])
  t.same(found('from '), [['"container:num_flows"', '"container:rtt"', '"host:mem"'], ''])
  t.same(found('.columns host'), [['host:mem'], 'host'])
})

t.test('fields of the measurement that is named, of all before one is', async t => {
  t.same(found('from "host:mem" where u')[0], ['used', 'using'])
  t.same(found('select as_')[0], ['as_client', 'as_server'])
  t.same(found('')[0], [], 'nothing typed, nothing offered')
})

t.test('words of SQL and commands', async t => {
  t.same(found('sel'), [['select'], 'sel'])
  t.same(found('from "host:mem" ORD')[0], ['order by'])
  t.same(found('.t'), [['.tables', '.table'], '.t'])
})

t.test('this version knows what it writes', async t => {
  t.ok(known.get('container:rtt_dist')?.includes('p95'))
  t.ok(known.get('host:cpu')?.includes('time'))
})
