import t from 'tap'

const PLAIN: string = '../../../collector/page/site/data/plain.js'
const { plain } = (await import(PLAIN)) as { plain: (text: unknown) => unknown }

t.test('marks that turn text round, and those that nobody sees, are dots', async t => {
  for (const [name, shown] of [
    ['\u202egnp.exe', '·gnp.exe'],
    ['\u2067a\u2069', '·a·'],
    ['web\u200b-0', 'web·-0'],
    ['a\u0000b\u001b[31m', 'a·b·[31m'],
    ['\ud800', '·'],
    ['\u061cx', '·x'],
  ])
    t.equal(plain(name), shown)
})

t.test('everything else is as it is', async t => {
  for (const text of ['web-0', '<b>&amp;', 'ä 日本 😀', 'a\nb', '', 'עברית', 5, undefined, null])
    t.equal(plain(text), text)
})
