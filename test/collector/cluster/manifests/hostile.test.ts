/** Directories as people and programs leave them: what is wrong with one file is said, and the others are read. */

import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Held } from '../../../../collector/cluster/held/held.ts'
import { Directory } from '../../../../collector/cluster/manifests/directory.ts'
import { objectsIn } from '../../../../collector/cluster/manifests/documents.ts'
import { pod } from '../../../harness/kubernetes/objects.ts'
import { until } from '../../../harness/until.ts'

const json = (name: string, ip: string): string => JSON.stringify(pod({ name, ip }))

function read(t: Test, directory: string) {
  const warned: string[] = []
  const held = new Held()
  const source = new Directory(directory, { warn: (_, text) => warned.push(text) }, 20)
  source.start(held)
  t.teardown(() => source.close())
  return { held, source, warned, at: (ip: string) => held.podByAddress(ip, Date.now())?.name }
}
const good = () => ({ 'good.json': json('good', '10.0.0.1') })
/** Some looks later. */
const looks = () => new Promise(done => setTimeout(done, 200))

for (const [what, make, says] of [
  ['leads to itself', (path: string) => symlinkSync('x.yaml', path), /x\.yaml cannot be used \(ELOOP\)/],
  ['leads nowhere', (path: string) => symlinkSync('none', path), /x\.yaml cannot be used \(ENOENT\)/],
  [
    'leads through a file',
    (path: string) => symlinkSync('good.json/x', path),
    /x\.yaml cannot be used \(ENOTDIR\)/,
  ],
  ['cannot be read', (path: string) => symlinkSync('/proc/self/mem', path), /x\.yaml cannot be used \(EIO\)/],
] as const)
  t.test(`a link that ${what} is named, and the others are read; mended, it counts`, async t => {
    const directory = t.testdir(good())
    make(join(directory, 'x.yaml'))
    const { at, warned, source } = read(t, directory)
    t.equal(at('10.0.0.1'), 'good')
    t.match(warned, [says])
    await until('another try', () => source.unreadable > 2)
    unlinkSync(join(directory, 'x.yaml'))
    writeFileSync(join(directory, 'x.yaml'), json('x', '10.0.0.2'))
    await until('x', () => at('10.0.0.2') === 'x')
  })

t.test('of two files with the same object the later by name counts, whichever came first', async t => {
  const directory = t.testdir({ 'b.json': json('same', '10.0.0.2') })
  const { held, at } = read(t, directory)
  const isB = () => at('10.0.0.2') === 'same' && at('10.0.0.1') === undefined
  const next = async (name: string) => {
    writeFileSync(join(directory, `${name}.json`), json(name, '10.0.1.1'))
    await until(name, () => held.podByUid(`uid-${name}`) !== undefined)
  }
  writeFileSync(join(directory, 'a.json'), json('same', '10.0.0.1'))
  await next('new')
  t.ok(isB(), 'an earlier name that comes later')
  unlinkSync(join(directory, 'a.json'))
  await next('again')
  writeFileSync(join(directory, 'a.json'), json('same', '10.0.0.1'))
  await next('last')
  t.ok(isB(), 'one that comes once more')
  for (const name of ['c1', 'c2', 'c3']) await next(name)
  t.ok(isB())
  t.equal(held.podByAddress('10.0.0.2', Date.now() - 60_000)?.name, 'same', 'no reading tears its past')
  unlinkSync(join(directory, 'b.json'))
  await until('a', () => at('10.0.0.1') === 'same')
})

for (const [what, text] of [
  ['empty', ''],
  ['blank', ' \n'],
  ['cut off', json('x', '10.0.0.2').slice(0, 50)],
] as const)
  t.test(`a file that is ${what} while it is written keeps what it said`, async t => {
    const directory = t.testdir({ ...good(), 'x.json': json('x', '10.0.0.2') })
    const { at, warned } = read(t, directory)
    writeFileSync(join(directory, 'x.json'), text)
    await until('the warning', () => warned.length > 0)
    t.match(warned[0], /x\.json cannot be used \(.*\); what it said before is kept$/)
    t.equal(at('10.0.0.2'), 'x')
  })

t.test('a file that is written in pieces is read when it is whole', async t => {
  const directory = t.testdir({ 'x.yaml': `${json('a', '10.0.0.1')}\n---\n${json('b', '10.0.0.2')}` })
  const { at } = read(t, directory)
  writeFileSync(join(directory, 'x.yaml'), json('a', '10.0.0.3'))
  await looks()
  t.equal(at('10.0.0.2'), 'b', 'half of it is not all of it')
  writeFileSync(join(directory, 'x.yaml'), `${json('a', '10.0.0.3')}\n---\n${json('b', '10.0.0.2')}`)
  await until('the new address', () => at('10.0.0.3') === 'a')
  t.equal(at('10.0.0.2'), 'b')
})

t.test('a directory that is made again is read again', async t => {
  const directory = t.testdir({ in: good() })
  const { at, warned } = read(t, join(directory, 'in'))
  rmSync(join(directory, 'in'), { recursive: true })
  await until('the warning', () => warned.length > 0)
  mkdirSync(join(directory, 'next'))
  writeFileSync(join(directory, 'next', 'x.JSON'), json('x', '10.0.0.2'))
  renameSync(join(directory, 'next'), join(directory, 'in'))
  await until('x', () => at('10.0.0.2') === 'x')
  t.equal(at('10.0.0.1'), undefined)
})

for (const [what, files] of [
  ['nothing', {}],
  ['other names', { 'all.txt': json('a', '10.0.0.1') }],
  ['other kinds', { 'x.yaml': 'apiVersion: v1\nkind: Config\n' }],
  ['another version', { 'x.yaml': 'apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\n' }],
] as const)
  t.test(`a directory with ${what} in it is said to have no facts`, async t => {
    const { warned } = read(t, t.testdir(files))
    t.match(warned, [/ has no Namespace, .*ServiceCIDR in its files \(\.yaml, \.yml, \.json\)/])
  })

t.test('texts of other machines', async t => {
  const a = json('a', '10.0.0.1')
  for (const [text, isJson] of [
    [`\ufeff${a}`, true],
    [`\ufeff${a}`, false],
    [`apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n`, false],
  ] as const)
    t.match(objectsIn(text, isJson), [{ kind: 'Pod', known: { name: 'a' } }])
  const utf16 = Buffer.from(`\ufeff${a}`, 'utf16le').toString()
  for (const [text, isJson, says] of [
    [utf16, true, /no text in UTF-8: .*PowerShell/],
    [utf16, false, /no text in UTF-8/],
    [Buffer.alloc(100).toString(), false, /no text in UTF-8/],
    [`${a}\n${a}`, true, /JSON is one document a file: make it a List, or YAML/],
    ['kind: Pod\nmetadata: {name: a}', false, /a Pod without apiVersion: v1/],
    ['a: 1\nb: 2\na: 3', false, /The key a is there twice at line 3, column 1/],
    ['a: 1\n---\nb: {c: 1, c: 1}', false, /^document 2: The key c is there twice at line 3, column 11/],
    ['kind: Pod\nname: {{ .Values.name }}', false, /A key is no text .*template.* at line 2, column 8/],
  ] as const)
    t.throws(() => objectsIn(text, isJson), { message: says })
})

// each of them took minutes, hours or days; none of them is asked for
for (const [what, text, says] of [
  ['keys', Array.from({ length: 100_000 }, (_, at) => `k${at}: 1`).join('\n'), /has no kind/],
  ['keys in keys', '? '.repeat(600), /A key is no text/],
  [
    'anchors, an alias each',
    Array.from({ length: 20_000 }, (_, at) => `- &a${at} x\n- *a${at}`).join('\n'),
    /More than 1000 aliases/,
  ],
  ['braces', '}\n'.repeat(20_000), /more than 200 brackets in a row/],
  ['lists in lists', '['.repeat(200_000), /more than 200 brackets in a row/],
  ['lists that are empty', '[] '.repeat(20_000), /more than 200 brackets in a row/],
] as const)
  t.test(`YAML with many ${what} is read`, async t => {
    t.throws(() => objectsIn(text, false), { message: says })
  })
