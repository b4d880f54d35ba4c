import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { apply, compare } from '../../../../cli/setup/grafana/folder.ts'

const first = new Map([
  ['datasources/a.yaml', 'a: 1\n'],
  ['dashboards/x/b.json', '{}\n'],
])

function folderOf(t: Test): string {
  return join(t.testdir({}), 'made', 'grafana')
}
const write = (folder: string, wanted: ReadonlyMap<string, string>) =>
  apply(folder, wanted, compare(folder, wanted))

t.test('files are written, and a second time nothing is', async t => {
  const folder = folderOf(t)
  t.same(compare(folder, first), {
    changes: [...first.keys()].map(path => ({ path, what: 'write' })),
    foreign: [],
  })
  write(folder, first)
  for (const [path, text] of first) t.equal(readFileSync(join(folder, path), 'utf8'), text)
  t.same(compare(folder, first), { changes: [], foreign: [] })
  t.same(readdirSync(join(folder, 'datasources')), ['a.yaml'], 'no temporary file is left')
})

t.test('what we wrote is replaced or removed, what others changed is foreign', async t => {
  const folder = folderOf(t)
  write(folder, first)
  const second = new Map([['datasources/a.yaml', 'a: 2\n']])
  t.same(compare(folder, second), {
    changes: [
      { path: 'datasources/a.yaml', what: 'replace' },
      { path: 'dashboards/x/b.json', what: 'remove' },
    ],
    foreign: [],
  })
  for (const path of first.keys()) writeFileSync(join(folder, path), 'mine')
  const found = compare(folder, second)
  t.same(found.foreign, ['datasources/a.yaml', 'dashboards/x/b.json'])
  apply(folder, second, found)
  t.equal(
    readFileSync(join(folder, 'dashboards/x/b.json'), 'utf8'),
    'mine',
    'what others changed is not removed',
  )
  t.equal(readFileSync(join(folder, 'datasources/a.yaml'), 'utf8'), 'a: 2\n')
})

t.test('what was there before is foreign, unless it is the same', async t => {
  const folder = folderOf(t)
  mkdirSync(join(folder, 'datasources'), { recursive: true })
  writeFileSync(join(folder, 'datasources/a.yaml'), 'a: 1\n')
  t.same(compare(folder, first).foreign, [])
  writeFileSync(join(folder, 'datasources/a.yaml'), '')
  t.same(compare(folder, first).foreign, ['datasources/a.yaml'])
})

t.test('links and directories in the way are foreign; a link is replaced, not followed', async t => {
  const folder = folderOf(t)
  mkdirSync(join(folder, 'datasources'), { recursive: true })
  mkdirSync(join(folder, 'dashboards/x/b.json'), { recursive: true })
  const other = join(t.testdirName, 'other')
  writeFileSync(other, 'theirs')
  symlinkSync(other, join(folder, 'datasources/a.yaml'))
  t.same(compare(folder, first).foreign, [...first.keys()])
  t.throws(() => write(folder, first), {
    message: /dashboards\/x\/b\.json is a directory where a file is to be: move it away$/,
  })
  t.ok(lstatSync(join(folder, 'datasources/a.yaml')).isSymbolicLink(), 'then nothing was written')
  rmdirSync(join(folder, 'dashboards/x/b.json'))
  write(folder, first)
  t.equal(readFileSync(other, 'utf8'), 'theirs')
  t.equal(readFileSync(join(folder, 'datasources/a.yaml'), 'utf8'), 'a: 1\n')
})

t.test('a manifest that is damaged or hostile removes nothing', async t => {
  for (const text of [
    '',
    '{',
    '[]',
    '{"files":1}',
    '{"files":{"../victim":"x"}}',
    '{"files":{"dashboards/../../victim":"x"}}',
  ]) {
    const folder = folderOf(t)
    write(folder, first)
    const victim = join(folder, '..', 'victim')
    writeFileSync(victim, 'x')
    writeFileSync(
      join(folder, '.sockflux.json'),
      text.replaceAll('"x"', '"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"'),
    )
    t.same(compare(folder, first), { changes: [], foreign: [] }, text)
    const second = new Map([['datasources/a.yaml', 'a: 2\n']])
    t.same(compare(folder, second).foreign, ['datasources/a.yaml'], text)
    write(folder, second)
    t.ok(existsSync(victim), text)
  }
})

t.test('a folder that cannot be read or written', async t => {
  const place = t.testdir({ file: 'x' })
  t.throws(() => compare(join(place, 'file'), first), {
    message: /^cannot read .* \(ENOTDIR\): correct the folder/,
  })
  t.throws(() => write('/proc/nothing', first), { message: /^folder: \/proc is a pseudo file system/ })
})
