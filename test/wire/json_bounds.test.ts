import t from 'tap'
import { MalformedError, parse, parseJson } from '../../wire/check.ts'
import { jsonFault } from '../../wire/json_bounds.ts'

const faultOf = (text: string, most?: number) => jsonFault(Buffer.from(text), most)

t.test('names of the largest host that the probe follows are taken', async t => {
  const id = (index: number) => index.toString(16).padStart(64, '0')
  const all = Array.from({ length: 32_768 }, (_, index) => index)
  const names = {
    cgroups: Object.fromEntries(all.map(index => [`1:${index}`, id(index)])),
    containers: Object.fromEntries(
      all.map(index => [
        id(index),
        {
          runtime: 'containerd',
          name: `container-${index}`,
          image: 'registry.example/team/application:1.2.3-long',
          pod: `${id(index).slice(0, 36)}`,
          labels: { app: `application-${index}`, tier: 'web' },
        },
      ]),
    ),
    pods: Object.fromEntries(
      all.map(index => [
        id(index).slice(28),
        { name: `deployment-${index}-abcdef-xyz`, namespace: 'production' },
      ]),
    ),
  }
  const text = Buffer.from(JSON.stringify(names))
  t.ok(text.length > 14e6, `${text.length} bytes`)
  t.equal(jsonFault(text), undefined)
})

t.test('bombs are refused before they are parsed', async t => {
  t.match(faultOf('['.repeat(9)), /nested deeper than 8 levels/)
  t.match(faultOf('{"a":'.repeat(9)), /nested deeper/)
  for (const piece of ['{},', '[],', '0,', '"",'])
    t.match(faultOf(`[${piece.repeat(500_001)}0]`), /more than 500000 values/, piece)
  t.match(faultOf('x'.repeat(11), 10), /has 11 bytes, and 10 are the most/)
  t.throws(() => parseJson(Buffer.from('['.repeat(9)), 'names'), {
    message: 'names is nested deeper than 8 levels',
  })
})

t.test('brackets and commas in strings do not count', async t => {
  for (const text of [
    '[[[[[[[[[[',
    ',,,,{{{{{{{{{{',
    '\\"[[[[[[[[[',
    '\\\\',
    'ü[[[[[[[[[',
    '\\\\\\"[[[[[[[[[[',
  ])
    t.equal(faultOf(`{"a":"${text}"}`), undefined, text)
  t.equal(faultOf('"never closed [[[[[[[[['), undefined)
  t.throws(() => parse(Buffer.from('"never closed [[[[[[[[['), 'x'), MalformedError)
  t.match(
    faultOf(`["\\\\",${'['.repeat(8)}`),
    /nested/,
    'the string ends behind an even number of backslashes',
  )
})
