import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { REASONS } from '../../probe/publish/ledger.ts'
import { LOSSES, lossOf } from '../../wire/losses.ts'
import { LOST } from '../../wire/records.ts'

const ROOT = join(import.meta.dirname, '../..')
const sources = (pattern: string): string =>
  globSync(pattern, { cwd: ROOT })
    .map(file => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n')
const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name]) => name!)

/** Reasons that the code can count, by where it counts them. */
const reasons: Readonly<Record<string, readonly string[]>> = {
  'the kernel side': LOST.map(name => `kernel/${name}`),
  literals: found(
    sources('{probe,collector}/**/*.ts'),
    /['`]((?:kernel|fold|identify|queue|window|log|ingest|series|flows|stream|ipfix|cluster)\/[a-z_]+)['`]/g,
  ),
  'the queue of the probe': REASONS.flatMap(reason => [`queue/${reason}`, `queue/${reason}_windows`]),
  runtimes: found(
    /function reasonOf[\s\S]*?\n}/.exec(sources('probe/identify/api/asked.ts'))![0],
    /return '(\w+)'/g,
  ).map(name => `identify/docker_${name}`),
  ingest: [
    ...found(sources('collector/ingest/*.ts'), /lose\('(\w+)'/g),
    ...found(sources('collector/ingest/clocks.ts'), /fault\(\s*'(clock_\w+)'/g),
  ].map(name => `ingest/${name}`),
  messages: found(sources('{wire,collector/ingest}/*.ts'), /new MalformedError\('(\w+)'/g).map(
    name => `ingest/malformed_${name}`,
  ),
  'the embedded store': found(sources('collector/sinks/embedded/*.ts'), /new Refused\(\s*'(\w+)'/g).map(
    name => `embedded/${name}`,
  ),
  'every sink': ['influxdb', 'embedded', 'prometheus', 'ndjson'].flatMap(sink =>
    [...found(sources('collector/sinks/sink.ts'), /new Refused\(\s*'(\w+)'/g), 'dropped'].map(
      name => `${sink}/${name}`,
    ),
  ),
  'the spool of a sink': found(sources('collector/sinks/backlog.ts'), /: '(spool_\w+)'/g).map(
    name => `influxdb/${name}`,
  ),
  influxdb: [
    ...found(sources('collector/sinks/influxdb/answers.ts'), /isPartial\(\w+\) \? '(\w+)' : '\w+'/g),
    ...found(sources('collector/sinks/influxdb/answers.ts'), /isPartial\(\w+\) \? '\w+' : '(\w+)'/g),
    // those about a batch are set aside when others are stored
    ...sources('collector/sinks/influxdb/*.ts')
      .split('new InfluxError(')
      .slice(1)
      .map(text => text.slice(0, text.search(/\n {2,4}\)|\n}/)))
      .filter(text => text.includes("fault: 'batch'"))
      .map(text => /^\s*['`]([\w]+)/.exec(text)![1]!)
      .map(name => (name === 'status_' ? 'status_413' : name)),
  ].map(name => `influxdb/${name}`),
}

t.test('every reason that the code can count is explained, with what to do', async t => {
  for (const [where, names] of Object.entries(reasons)) {
    t.ok(names.length > 0, `${where}: ${[...new Set(names)].join(' ')}`)
    t.same(
      names.filter(name => lossOf(name) === undefined),
      [],
      where,
    )
  }
})

t.test('nothing is explained that the code cannot count', async t => {
  const all = Object.values(reasons).flat()
  const explained = new Set(all.map(lossOf))
  t.same(
    Object.keys(LOSSES).filter(reason => !explained.has(LOSSES[reason])),
    [],
  )
})

t.test('each says what one count is, what it means and what to do', async t => {
  for (const [reason, { unit, means, remedy }] of Object.entries(LOSSES)) {
    t.match(unit, /^[a-z]+$/, reason)
    t.ok(means.length > 10 || reason.endsWith('_windows'), reason)
    t.ok(remedy.length > 5 && !/[.|]$/.test(remedy), reason)
    t.notMatch(`${means}${remedy}`, /\|/, 'it is a cell of a table')
  }
})

t.test('a flag that is to be raised exists', async t => {
  const options = sources('{probe,collector}/{,**/}{options,settings,index,settings/*}.ts')
  const flags = Object.values(LOSSES).flatMap(
    ({ means, remedy }) => `${means} ${remedy}`.match(/--[a-z-]+/g) ?? [],
  )
  t.ok(flags.length > 5)
  const nameOf = (flag: string) =>
    flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  t.same(
    flags.filter(flag => !new RegExp(`\\b${nameOf(flag)}: (setting|\\w+)`).test(options)),
    [],
  )
})

t.test('an exact reason goes before a pattern', async t => {
  t.match(lossOf('ingest/malformed_layout'), { unit: 'records' })
  t.match(lossOf('ingest/malformed_topic'), { unit: 'messages' })
  t.match(lossOf('identify/cri_timeout'), { unit: 'questions' })
  t.equal(lossOf('queue/fuller'), undefined)
  t.equal(lossOf('constructor'), undefined)
})
