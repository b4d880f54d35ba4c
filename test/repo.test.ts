/** The house rules. */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { catalogue } from '../collector/metrics/catalogue.ts'
import { generate } from '../probe/bpf/generate.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const glob = (pattern: string): string[] =>
  globSync(pattern, { cwd: ROOT, exclude: ['**/node_modules', 'native/build'] })
const product = glob('{wire,cli,probe,collector,grafana,native}/**/*.ts').sort()

/** What a file imports: paths from the root of the repository, or names of packages. */
function importsOf(file: string): { from: string; lazy: boolean }[] {
  const statements = read(file).matchAll(
    /^\s*(?:import|export)\b[^'"`;]*?from '([^']+)'|^import '([^']+)'|(\bimport)\('([^']+)'\)/gm,
  )
  return [...statements].map(([, named, bare, lazy, late]) => {
    const from = named ?? bare ?? late!
    return { from: from.startsWith('.') ? join(dirname(file), from) : from, lazy: lazy !== undefined }
  })
}
const imports = product.flatMap(file => importsOf(file).map(found => ({ file, ...found })))
const tell = (found: readonly { file: string; from: string }[]) =>
  found.map(({ file, from }) => `${file}: ${from}`)

t.test('the rules see the code', async t => {
  t.ok(product.length > 40, `${product.length} files`)
  t.ok(tell(imports).includes('collector/ingest/acknowledge.ts: wire/message.ts'))
})

t.test('what is generated from the object is what the object says', async t => {
  for (const [path, text] of generate()) t.equal(readFileSync(path, 'utf8'), text, relative(ROOT, path))
})

t.test('both programs are shown on one screen', async t => {
  for (const file of ['probe/main.ts', 'collector/main.ts']) {
    const lines = read(file).trimEnd().split('\n').length
    t.ok(lines <= 100, `${file} has ${lines} lines`)
  }
})

t.test('every metric has a unit, a help and a name of its own', async t => {
  for (const { name, help, fields } of catalogue) {
    t.match(name, /^[a-z]+:[a-z][a-z_]*$/, name)
    t.ok(help.length > 10, `${name} has a help`)
    for (const field of fields) {
      t.match(field.name, /^[a-z][a-z0-9_]*$/, `${name} ${field.name}`)
      t.ok(field.unit.length > 0 && field.help.length > 3, `${name} ${field.name} has unit and help`)
    }
    t.equal(new Set(fields.map(({ name }) => name)).size, fields.length, `${name} has no field twice`)
  }
  const names = catalogue.map(({ name }) => name)
  t.same([...new Set(names)], names)
})

t.test('only the command ends the process; the doctor answers with its status', async t => {
  const ending = product.filter(file =>
    /\bprocess\.(exit\b|exitCode\b|abort\b|reallyExit\b)/.test(read(file)),
  )
  t.same(ending, [
    'cli/config.ts',
    'cli/doctor.ts',
    'cli/sockflux.ts',
    'collector/sinks/embedded/query/main.ts',
  ])
})

/**
 * Who may import whom; types count. A file belongs to the longest of these names that it begins with, and may import what
 * that name lists and everything below that name itself. What has no name of its own below a folder is the folder's.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  native: [],
  wire: ['wire'],
  cli: ['wire', 'probe', 'collector', 'grafana'],
  'collector/batch.ts': [],
  'collector/batch_codec.ts': ['collector/batch.ts', 'collector/metrics'],
  'collector/certificate.ts': [],
  'collector/cluster': ['wire', 'collector/certificate.ts', 'collector/counters.ts'],
  'collector/check.ts': [
    ...['wire', 'collector/directory.ts', 'collector/options.ts', 'collector/sinks'],
    ...['collector/cluster', 'collector/page/check.ts', 'collector/ipfix'],
  ],
  'collector/counters.ts': ['wire', 'collector/metrics'],
  'collector/directory.ts': [],
  'collector/flows': [
    ...[
      'wire',
      'collector/batch.ts',
      'collector/cluster',
      'collector/fold',
      'collector/ingest',
      'collector/counters.ts',
    ],
    ...['collector/routes.ts', 'collector/settled.ts'],
  ],
  'collector/fold': ['wire'],
  'collector/in_turn.ts': [
    ...['collector/flows', 'collector/ingest', 'collector/sample', 'collector/serve'],
    'collector/settled.ts',
  ],
  'collector/ingest': [
    ...['wire', 'collector/fold', 'collector/counters.ts', 'collector/settled.ts'],
    ...['collector/directory.ts', 'collector/unix_socket.ts'],
  ],
  // it consumes what the flow stage makes; its settings and their check are read before anything runs
  'collector/ipfix': [
    ...['wire', 'collector/cluster', 'collector/flows', 'collector/certificate.ts', 'collector/counters.ts'],
  ],
  'collector/ledger': ['wire', 'collector/ingest', 'collector/sinks', 'collector/settled.ts'],
  'collector/live.ts': [
    'wire',
    'collector/ingest',
    'collector/options.ts',
    'collector/sample',
    'collector/sinks',
  ],
  'collector/listening.ts': ['wire', 'collector/ingest', 'collector/sample', 'collector/sinks'],
  'collector/main.ts': ['wire', 'native', 'collector'], // datagrams, for systemd
  'collector/metrics': ['wire'],
  // what its flags can be is in the tables of metrics and sinks
  'collector/options.ts': [
    ...['wire', 'collector/metrics', 'collector/sinks', 'collector/routes.ts'],
    'collector/ipfix',
  ],
  'collector/page/check.ts': ['wire', 'collector/certificate.ts', 'collector/page', 'collector/routes.ts'],
  'collector/page': [
    ...['wire', 'collector/flows', 'collector/fold', 'collector/ingest', 'collector/sample'],
    ...[
      'collector/sinks',
      'collector/metrics',
      'collector/serve',
      'collector/certificate.ts',
      'collector/counters.ts',
    ],
    ...['collector/routes.ts', 'collector/page/check.ts'],
  ],
  'collector/progress.ts': ['collector/counters.ts'],
  'collector/replay': [
    ...['wire', 'collector/counters.ts', 'collector/ingest', 'collector/options.ts', 'collector/sample'],
    'collector/sinks',
  ],
  'collector/routes.ts': [],
  'collector/sample': [
    ...[
      'wire',
      'collector/batch.ts',
      'collector/cluster',
      'collector/fold',
      'collector/ingest',
      'collector/metrics',
    ],
    ...['collector/counters.ts', 'collector/settled.ts'],
  ],
  'collector/settled.ts': [],
  'collector/serve': [
    ...['wire', 'collector/fold', 'collector/ingest', 'collector/sample', 'collector/ledger'],
    ...[
      'collector/view',
      'collector/counters.ts',
      'collector/directory.ts',
      'collector/routes.ts',
      'collector/unix_socket.ts',
    ],
  ],
  'collector/sinks': [
    ...['wire', 'collector/batch.ts', 'collector/batch_codec.ts', 'collector/metrics', 'collector/routes.ts'],
    ...[
      'collector/certificate.ts',
      'collector/counters.ts',
      'collector/directory.ts',
      'collector/settled.ts',
    ],
  ],
  'collector/unix_socket.ts': [],
  'collector/view': [
    ...['wire', 'collector/fold', 'collector/flows', 'collector/ingest', 'collector/sample'],
    'collector/routes.ts',
  ],
  'collector/metrics/generate.ts': ['cli', 'collector', 'wire'], // a script for `make generate`
  grafana: ['collector/metrics'],
  'probe/main.ts': ['wire', 'native', 'probe'],
  'probe/bpf': ['wire', 'native', 'probe/kernel', 'probe/signals'],
  'probe/check.ts': ['wire', 'probe/options.ts'],
  'probe/clock_log.ts': ['probe/read'],
  'probe/counters.ts': ['wire'],
  'probe/doctor': ['wire', 'native', 'probe/kernel', 'probe/signals', 'probe/identify'],
  'probe/heads.ts': ['wire', 'probe/read'],
  'probe/host_figures.ts': ['wire'],
  'probe/identify': ['wire'],
  'probe/kernel': ['wire', 'native', 'probe/signals'],
  'probe/live.ts': ['wire', 'probe/options.ts', 'probe/identify', 'probe/publish'],
  'probe/options.ts': ['wire', 'probe/signals'], // what its flags can be is in the tables of signals
  'probe/progress.ts': ['wire', 'probe/publish', 'probe/read'],
  'probe/publish': ['wire'],
  'probe/read': ['wire', 'native', 'probe/signals'],
  'probe/signals': ['wire', 'native'], // a tick of the kernel
}

const isBelow = (path: string, name: string): boolean => path === name || path.startsWith(`${name}/`)
/** Of which name a file is; the addon's package is `native`. */
function placeOf(path: string): string | undefined {
  if (path === 'bcc-bindings') return 'native'
  const names = Object.keys(ARROWS).filter(name => isBelow(path, name))
  return names.sort((a, b) => b.length - a.length)[0]
}

t.test('imports follow the arrows', async t => {
  t.same(
    product.filter(file => placeOf(file) === undefined),
    [],
    'every file has its place in the table',
  )
  const against = imports.filter(({ file, from }) => {
    const [here, there] = [placeOf(file), placeOf(from)]
    if (here === undefined || there === undefined || here === there) return false
    return !ARROWS[here]!.some(name => isBelow(there, name))
  })
  t.same(tell(against), [])
})

t.test('native imports of packages only Node', async t => {
  const packages = imports.filter(
    ({ file, from }) =>
      file.startsWith('native/') && !from.startsWith('native/') && !from.startsWith('node:'),
  )
  t.same(tell(packages), [])
})

t.test('only the list and who opens them know the sinks', async t => {
  const inside = imports.filter(
    ({ file, from }) => !file.startsWith(/^collector\/sinks\/\w+\//.exec(from)?.[0] ?? ''),
  )
  t.same(
    [...new Set(inside.map(({ file }) => file))].filter(file => file.startsWith('collector/')),
    ['collector/sinks/index.ts'],
  )
})
t.test('only one folder knows the SDK of Grafana', async t => {
  const known = imports.filter(({ from }) => from.startsWith('@grafana/'))
  t.ok(known.length > 0)
  t.same(
    known.filter(({ file }) => !file.startsWith('grafana/classic/')),
    [],
  )
})

t.test('no import leads back to where it started, not even one of a type', async t => {
  const targets = Map.groupBy(imports, ({ file }) => file)
  const done = new Set<string>()
  const circles: string[] = []
  const walk = (file: string, path: readonly string[]): void => {
    if (done.has(file)) return
    for (const { from } of targets.get(file) ?? [])
      if (path.includes(from) || from === file) circles.push(`${file}: ${from}`)
      else walk(from, [...path, file])
    done.add(file)
  }
  for (const file of product) walk(file, [])
  t.same(circles, [])
})

t.test('the command loads both programs late', async t => {
  const early = imports.filter(
    ({ file, from, lazy }) =>
      ['cli/sockflux.ts', 'cli/commands.ts'].includes(file) &&
      /^(probe|collector|native)\//.test(from) &&
      !lazy,
  )
  t.same(tell(early), [])
})

/** Files that are or would be committed. */
function tracked(): string[] | undefined {
  const git = spawnSync(
    'git',
    ['-c', `safe.directory=${ROOT}`, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 },
  )
  if (git.status !== 0) return undefined
  return git.stdout.split('\0').filter(file => file !== '' && existsSync(join(ROOT, file)))
}

const files = tracked()
t.test(
  'no file names a path of the machine that it was written on',
  { skip: files ? false : 'this needs the git repository' },
  async t => {
    // `/root` as such is a directory that every machine has
    const path = new RegExp(`(?<![\\w.*-])/(${['work', 'root', 'home'].join('|')})/[\\w.]`)
    t.same(
      files!.filter(file => path.test(read(file))),
      [],
    )
  },
)

/** Flags of docker, which the documents mention alone. */
const OF_DOCKER = ['--network', '--pid', '--cgroupns', '--build-arg']

t.test('every flag in README and docs exists', async t => {
  const texts = ['README.md', ...glob('docs/*.md')].map(read)
  const spans = texts.flatMap(text =>
    [...text.matchAll(/`([^`\n]+)`|^ {4}(.+)$/gm)].map(([, inline, block]) => inline ?? block!),
  )
  const helps = new Map<string, string>()
  const help = (command: string): string => {
    const known = helps.get(command)
    if (known !== undefined) return known
    const args = [join(ROOT, 'cli/sockflux.ts'), ...command.split(' '), '--help']
    const text = execFileSync(process.execPath, args.filter(Boolean), { encoding: 'utf8' })
    helps.set(command, text)
    return text
  }
  const flagsIn = (text: string) => text.match(/(?<=^|\s)--[a-z][\w-]*/g) ?? []
  const has = (command: string, flag: string) => help(command).match(new RegExp(`${flag}(?![\\w-])`)) !== null
  let checked = 0
  for (const span of spans) {
    const [, command] = /(?:^|\s|\/)sockflux ((?:setup )?[a-z]+)/.exec(span) ?? []
    for (const flag of flagsIn(span)) {
      const commands = command
        ? [command]
        : span.startsWith('--')
          ? [
              'probe',
              'collector',
              'run',
              'top',
              'page',
              'query',
              'flows',
              'replay',
              'metrics',
              'doctor',
              'setup influxdb',
              'setup grafana',
              'setup nats',
            ]
          : []
      if (commands.length === 0 || (!command && OF_DOCKER.includes(flag))) continue
      checked++
      t.ok(
        commands.some(name => has(name, flag)),
        `${command ?? 'some command'} has ${flag}`,
      )
    }
  }
  t.ok(checked > 40, `${checked} flags`)
})
