import t from 'tap'
import type { Tags } from '../../../collector/sample.ts'
import { encode } from '../../../collector/sinks/line_protocol.ts'
import { batch, sample } from '../../harness/samples.ts'

// Checked by hand against docs.influxdata.com, "Line protocol reference", special characters.
const golden: [name: string, sample: ReturnType<typeof sample>, line: string][] = [
  [
    'an integer is written as a float',
    sample([3, 0]),
    'container:num_flows,container=c1 as_client=3,as_server=0 1767323040',
  ],
  [
    'a fraction keeps its digits',
    sample([0.1, 1e21]),
    'container:num_flows,container=c1 as_client=0.1,as_server=1e+21 1767323040',
  ],
  [
    'an undefined field is left out',
    sample([undefined, 2]),
    'container:num_flows,container=c1 as_server=2 1767323040',
  ],
  [
    'tags are sorted and empty ones left out',
    sample([1, 2], { pod: 'p', host: '', container: 'c' }),
    'container:num_flows,container=c,pod=p as_client=1,as_server=2 1767323040',
  ],
  ['no tag is no comma', sample([1, 2], {}), 'container:num_flows as_client=1,as_server=2 1767323040'],
  [
    'tag names and values are escaped',
    sample([1, 2], { 'a b': 'x,y=z w' }),
    'container:num_flows,a\\ b=x\\,y\\=z\\ w as_client=1,as_server=2 1767323040',
  ],
  [
    'a line break in a tag cannot end the line',
    sample([1, 2], { a: 'x\ny' }),
    'container:num_flows,a=x\\ny as_client=1,as_server=2 1767323040',
  ],
  [
    'a backslash at the end of a tag is left out',
    sample([1, 2], { a: 'x\\', b: '\\' }),
    'container:num_flows,a=x as_client=1,as_server=2 1767323040',
  ],
  [
    'names and fields are escaped',
    sample([1], {}, { name: 'a b,c=d', fields: ['f g='] }),
    'a\\ b\\,c=d f\\ g\\==1 1767323040',
  ],
]

for (const [name, given, line] of golden) {
  t.test(name, async t => t.same(encode(batch(0, [given])), [line]))
}

t.test('a sample without a field is no line', async t => {
  t.same(encode(batch(0, [sample([undefined, undefined])])), [])
})

t.test('NaN and infinity are never written', async t => {
  const given = [
    sample([Number.NaN, 1]),
    sample([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
    sample([1, 1]),
  ]
  t.same(
    encode(batch(0, given)).map(line => line.split(' ')[1]),
    ['as_server=1', 'as_client=1,as_server=1'],
  )
})

t.test('the tags of one object are escaped once', async t => {
  let reads = 0
  const tags: Tags = {
    get container() {
      reads++
      return 'c 1'
    },
  }
  encode(batch(0, [sample([1, 1], tags), sample([2, 2], tags)]))
  encode(batch(1, [sample([3, 3], tags)]))
  t.equal(reads, 1)
})

t.test('tags that are made of others have a text of their own', async t => {
  const tags = { container: 'c', host: '' }
  const linesOf = (given: Tags) => encode(batch(0, [sample([1, 2], given)]))
  const [line = ''] = linesOf(tags)
  t.same(linesOf({ ...tags, role: 'client' }), [line.replace('container=c', 'container=c,role=client')])
})
