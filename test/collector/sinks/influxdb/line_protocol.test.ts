import fc from 'fast-check'
import t from 'tap'
import type { Tags } from '../../../../collector/batch.ts'
import { encodeLines } from '../../../../collector/sinks/influxdb/line_protocol.ts'
import { batch, linesOf, sample } from '../../../harness/samples.ts'

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
    'a control character never leaves, in names and in values',
    sample([1], { 'a\r': 'x\ny', b: '\u001b[0m\u007f' }, { name: 'm\n', fields: ['f\t'] }),
    'm�,a�=x�y,b=�[0m� f�=1 1767323040',
  ],
  [
    'a backslash stays before an ordinary character, where all servers read the same',
    sample([1, 2], { a: 'a\\b', b: 'C:\\new' }),
    'container:num_flows,a=a\\b,b=C:\\new as_client=1,as_server=2 1767323040',
  ],
  [
    'a backslash that would escape what follows is a slash',
    sample([1], { a: 'a\\,b', b: 'C:\\ D', c: 'a\\=b', d: 'a\\\\b', e: 'busybox_\\,b', f: 'x\\', g: '\\' }),
    'container:num_flows,a=a/\\,b,b=C:/\\ D,c=a/\\=b,d=a/\\b,e=busybox_/\\,b,f=x/,g=/ as_client=1 1767323040',
  ],
  [
    'so it is in the name of a tag, of a field and of a measurement',
    sample([1], { 'a\\': 'v', 'b\\ c': 'v' }, { name: 'm\\', fields: ['f\\', 'g\\='] }),
    'm/,a/=v,b/\\ c=v f/=1 1767323040',
  ],
  [
    'of two names that are written alike one is',
    sample([1], { 'a\\': 'v', 'a/': 'w', '': 'x' }),
    'container:num_flows,a/=v as_client=1 1767323040',
  ],
  ['a measurement is no comment', sample([1], {}, { name: '#m', fields: ['f'] }), '�m f=1 1767323040'],
  [
    'what is not ASCII is written as UTF-8',
    sample([1], { pod: 'größe' }, { name: 'µ', fields: ['ζ'] }),
    'µ,pod=größe ζ=1 1767323040',
  ],
  [
    'names and fields are escaped',
    sample([1], {}, { name: 'a b,c=d', fields: ['f g='] }),
    'a\\ b\\,c=d f\\ g\\==1 1767323040',
  ],
]

for (const [name, given, line] of golden) {
  t.test(name, async t => t.same(linesOf(batch(0, [given])), [line]))
}

t.test('a sample without a field is no line', async t => {
  t.same(linesOf(batch(0, [sample([undefined, undefined])])), [])
})

t.test('NaN and infinity are never written', async t => {
  const given = [
    sample([Number.NaN, 1]),
    sample([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
    sample([1, 1]),
  ]
  t.same(
    linesOf(batch(0, given)).map(line => line.split(' ')[1]),
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
  linesOf(batch(0, [sample([1, 1], tags), sample([2, 2], tags)]))
  linesOf(batch(1, [sample([3, 3], tags)]))
  t.equal(reads, 1)
})

t.test('tags that are made of others have a text of their own', async t => {
  const tags = { container: 'c', host: '' }
  const ofTags = (given: Tags) => linesOf(batch(0, [sample([1, 2], given)]))
  const [line = ''] = ofTags(tags)
  t.same(ofTags({ ...tags, role: 'client' }), [line.replace('container=c', 'container=c,role=client')])
})

t.test('a number is written as JavaScript writes it', async t => {
  const numbers = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeNat(),
    fc.nat().map(thousandths => thousandths / 1000),
  )
  const written = (value: number) => linesOf(batch(0, [sample([value], {})]))[0]!.split(/[ =]/)[2]
  fc.assert(fc.property(numbers, value => written(value) === String(value)))
  for (const value of [-0, 0.5, 1e-7, 1e21, 2 ** 53, -1, Number.MAX_VALUE, -Number.MIN_VALUE])
    t.equal(written(value), String(value))
})

t.test('lines come as many together as are wanted, and can be taken in parts', async t => {
  const given = [0, 1].map(window =>
    batch(
      window,
      Array.from({ length: 5 }, (_, at) => sample([at, window])),
    ),
  )
  const parts: string[] = []
  for (const lines of encodeLines(given, 4))
    while (lines.count > 0) {
      const some = Math.min(3, lines.count)
      parts.push(lines.bytes(some).toString())
      lines.take(some)
    }
  t.same(
    parts.map(text => text.split('\n').length),
    [3, 1, 3, 1, 2],
  )
  t.same(parts.join('\n').split('\n'), given.flatMap(linesOf))
})

t.test('there is room for any line', async t => {
  const long = Array.from({ length: 100 }, (_, at) => sample([at, 0.1], { pod: 'p'.repeat(at * 500) }))
  const fields = Array.from({ length: 5000 }, (_, at) => `field_${at}`)
  const wide = sample(
    fields.map(() => -Number.MIN_VALUE),
    {},
    { name: 'wide', fields },
  )
  const lines = linesOf(batch(0, [...long, wide]))
  t.equal(lines.length, 101)
  t.same(
    lines.map(line => line.length),
    [...long, wide].map(point => linesOf(batch(0, [point]))[0]!.length),
  )
})
