import t from 'tap'

const CSV: string = '../../../collector/page/site/data/csv.js'
const { csvOf } = (await import(CSV)) as { csvOf: (head: string[], rows: unknown[][]) => string }
const cell = (value: unknown) => csvOf([], [[value]]).slice(2, -2)

t.test('a cell is never a formula', async t => {
  for (const name of ['=1+1', '+1', '@SUM(A1)', '-2+3', '-1e5x', '-', '--1', '-1.', '-1-1', '-.5', '＝1+1'])
    t.equal(cell(name), `'${name}`, name)
  t.equal(cell("-2+3+cmd|' C'!A0"), "'-2+3+cmd|' C'!A0")
  t.equal(cell('=1,2'), '"\'=1,2"', 'quoted, too')
  t.equal(cell('\t=1'), "'\t=1")
  t.equal(cell('\r=1'), '"\'\r=1"')
  t.equal(cell('-1\n=1'), '"\'-1\n=1"', 'a number in the first line alone')
})

t.test('numbers and names stay as they are', async t => {
  for (const value of ['-1', '-1.5', '-2e-7', '-1E+21', '0', 'web-0', 'a=b', '', '10.0.0.1:80'])
    t.equal(cell(value), value, value)
  t.equal(cell(-1e-7), '-1e-7')
  t.equal(cell(null), '')
  t.equal(csvOf(['a', 'b'], [[1, 'x"y']]), 'a,b\r\n1,"x""y"\r\n')
})
