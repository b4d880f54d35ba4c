import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { collectorSettings } from '../../../collector/options.ts'
import { probeSettings } from '../../../probe/options.ts'
import { inspectSettings, readSettings } from '../../../wire/settings/read.ts'
import { SettingError, type Settings } from '../../../wire/settings/settings.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'

const SOCKFLUX = join(import.meta.dirname, '../../../cli/sockflux.ts')
type Env = Readonly<Record<string, string>>

/** The command, told nothing by the environment of the tests. */
function sockflux(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'] }
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>()
  execFile(process.execPath, [SOCKFLUX, ...args], { env, timeout: 60_000 }, (error, stdout, stderr) =>
    resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
  )
  return promise
}

const probe = (flags: Readonly<Record<string, unknown>>, env: Env = {}) =>
  readSettings(probeSettings, 'probe', flags, env)
const collector = (env: Env, flags: Readonly<Record<string, unknown>> = {}) =>
  readSettings(collectorSettings, 'collector', flags, env)

t.test('a flag wins over a variable, that over the file, that over the default', async t => {
  const config = join(t.testdir({ 'a.yaml': 'probe:\n  interval: 3\n' }), 'a.yaml')
  const env = { SOCKFLUX_INTERVAL: '2' }
  t.equal(probe({ config, interval: '1' }, env).interval, 1)
  t.equal(probe({ config }, env).interval, 2)
  t.equal(probe({ config }).interval, 3)
  t.equal(probe({}, { SOCKFLUX_CONFIG: config }).interval, 3)
  t.equal(probe({}).interval, 10)
  t.equal(probe({ config }, { SOCKFLUX_INTERVAL: '' }).interval, 3, 'an empty variable says nothing')
})

t.test('a file may be empty, or speak to the other program alone', async t => {
  const directory = t.testdir({
    empty: '',
    comment: '# nothing\n',
    bare: 'probe:\n',
    other: 'collector:\n  profile: ntopng\n',
  })
  for (const name of ['empty', 'comment', 'bare', 'other'])
    t.same(probe({ config: join(directory, name) }), probe({}), name)
})

t.test('lists are repeated flags, commas in a variable, a sequence or one value in the file', async t => {
  const directory = t.testdir({ several: 'probe:\n  label: [app, tier]\n', one: 'probe:\n  label: app\n' })
  t.same(probe({ label: ['app', 'tier'] }).label, ['app', 'tier'])
  t.same(probe({}, { SOCKFLUX_LABEL: 'app, tier' }).label, ['app', 'tier'])
  t.same(probe({ config: join(directory, 'several') }).label, ['app', 'tier'])
  t.same(probe({ config: join(directory, 'one') }).label, ['app'])
  const listen = ['tcp://*:5556,ifid=6', 'tcp://*:5557,plain,ifid=7', 'tcp://*:5558,curve', 'ipc:///run/x']
  t.same(
    collector({ SOCKFLUX_LISTEN: listen.join(',') }).listen,
    listen,
    'the comma before ifid=, plain or curve is no separator',
  )
})

t.test('numbers, sizes and yes or no are read from text and from YAML alike', async t => {
  const text = 'collector:\n  store_size: 64M\n  influx_gzip: false\n  influx_version: 2\n  store_days: 3\n'
  const config = join(t.testdir({ 'a.yaml': text }), 'a.yaml')
  const variables = { STORE_SIZE: '64MiB', INFLUX_GZIP: 'false', INFLUX_VERSION: '2', STORE_DAYS: '3' }
  const env = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [`SOCKFLUX_${name}`, value]),
  )
  for (const { storeSize, influxGzip, influxVersion, storeDays } of [
    collector({}, { config }),
    collector(env),
  ])
    t.same([storeSize, influxGzip, influxVersion, storeDays], [64 * 2 ** 20, false, 2, 3])
  t.equal(probe({ ringSize: '100000' }).ringSize, 131_072, 'the next power of two')
})

t.test("InfluxDB's own variables count, after ours", async t => {
  const names: readonly [string, keyof typeof collectorSettings, string][] = [
    ['INFLUX_URL', 'influxUrl', 'http://127.0.0.1:1'],
    ['INFLUX_HOST', 'influxUrl', 'http://127.0.0.1:2'],
    ['INFLUX_BUCKET', 'influxDatabase', 'b'],
    ['INFLUX_DATABASE', 'influxDatabase', 'd'],
    ['INFLUX_ORG', 'influxOrg', 'o'],
    ['INFLUX_USERNAME', 'influxUsername', 'u'],
    ['INFLUX_PASSWORD', 'influxPassword', 'p'],
    ['INFLUX_TOKEN', 'influxToken', 't'],
  ]
  for (const [variable, name, value] of names)
    t.same(collector({ [variable]: value })[name], name === 'influxUrl' ? [value] : value, variable)
  t.same(collector({ INFLUX_HOST: 'http://b', INFLUX_URL: 'http://a' }).influxUrl, ['http://a'])
  t.same(collector({ INFLUX_URL: 'http://a', SOCKFLUX_INFLUX_URL: 'http://c' }).influxUrl, ['http://c'])
})

t.test('a secret can lie in a file, and no error repeats it', async t => {
  const file = join(t.testdir({ token: 'hush\n' }), 'token')
  t.equal(collector({ INFLUX_TOKEN_FILE: file }).influxToken, 'hush')
  t.equal(collector({ SOCKFLUX_INFLUX_TOKEN_FILE: file }).influxToken, 'hush')
  t.equal(collector({ INFLUX_TOKEN_FILE: file, INFLUX_TOKEN: 'said' }).influxToken, 'said')
  t.equal(probe({}, { SOCKFLUX_HOST_FILE: file }).host, undefined, 'only secrets')
  const yaml = join(t.testdir({ yaml: 'collector:\n  influx_password: 12345\n' }), 'yaml')
  t.throws(() => collector({}, { config: yaml }), {
    message: `${yaml}:2:20: collector.influx_password: needs a text: put what looks like a number in quotes`,
  })
})

const snake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
const keysOf = (settings: Settings) => Object.keys(settings).map(snake)

interface Wrong {
  readonly table?: 'collector'
  readonly flags?: Readonly<Record<string, unknown>>
  readonly env?: Env
  readonly yaml?: string
  /** The whole sentence; FILE stands for the file's path. */
  readonly says: string
}
const wrong: readonly Wrong[] = [
  { flags: { interval: '0' }, says: '--interval: needs a whole number from 1 to 3600, not "0"' },
  { flags: { maxFlows: '1e9' }, says: '--max-flows: needs a whole number from 1024 to 16777216, not "1e9"' },
  {
    env: { SOCKFLUX_INTERVAL: 'x' },
    says: 'SOCKFLUX_INTERVAL: needs a whole number from 1 to 3600, not "x"',
  },
  {
    env: { SOCKFLUX_LOG_LEVEL: 'loud' },
    says: 'SOCKFLUX_LOG_LEVEL: needs one of debug, info, warn, error, silent, not "loud"',
  },
  {
    env: { SOCKFLUX_COLLECTOR: 'http://x' },
    says: 'SOCKFLUX_COLLECTOR: needs an endpoint such as tcp://collector.example:5556, ipc:///run/sockflux/link.sock or nats://nats.example:4222, not "http://x"',
  },
  {
    table: 'collector',
    env: { INFLUX_HOST: 'localhost' },
    says: 'INFLUX_HOST: needs an address such as http://127.0.0.1:8086, not "localhost"',
  },
  {
    table: 'collector',
    env: { INFLUX_TOKEN_FILE: '/nowhere/token' },
    says: 'INFLUX_TOKEN_FILE: cannot read /nowhere/token (ENOENT): correct the path or its permissions',
  },
  {
    flags: { config: '/nowhere/a.yaml' },
    says: '--config: cannot read /nowhere/a.yaml (ENOENT): correct the path or its permissions',
  },
  {
    env: { SOCKFLUX_CONFIG: '/nowhere/a.yaml' },
    says: 'SOCKFLUX_CONFIG: cannot read /nowhere/a.yaml (ENOENT): correct the path or its permissions',
  },
  {
    yaml: 'probe:\n  fold: yes\n',
    says: 'FILE:2:9: probe.fold: needs true or false, not "yes"',
  },
  {
    yaml: 'probe:\n  interval:\n',
    says: 'FILE:2:12: probe.interval: needs a whole number from 1 to 3600, not null',
  },
  {
    yaml: 'probe:\n  queue_size: 5 potatoes\n',
    says: 'FILE:2:15: probe.queue_size: needs a size from 1048576 to 1099511627776 bytes, for example 64M, not "5 potatoes"',
  },
  {
    yaml: 'sonde:\n  interval: 1\n',
    says: 'FILE:1:1: the file has no key sonde: choose from probe, collector',
  },
  {
    yaml: 'probe:\n  # seconds\n  intervall: 1\n',
    says: 'FILE:3:3: probe has no key intervall: did you mean interval?',
  },
  { yaml: '- probe\n', says: 'FILE:1:1: the file must be a mapping' },
  { yaml: 'probe: 10\n', says: 'FILE:1:8: probe must be a mapping' },
]

t.test('every error says where it is and what is wanted', async t => {
  const file = join(t.testdir({}), 'a.yaml')
  for (const { table, flags = {}, env = {}, yaml, says } of wrong) {
    if (yaml !== undefined) await writeFile(file, yaml)
    const given = yaml === undefined ? flags : { ...flags, config: file }
    const read = () => (table ? collector(env, given) : probe(given, env))
    t.throws(read, new SettingError(says.replace(/^FILE:/, `${file}:`)), says)
  }
})

t.test('a file that is not YAML is told with its place', async t => {
  const config = join(t.testdir({ 'a.yaml': 'probe:\n  interval: [1\n' }), 'a.yaml')
  t.throws(() => probe({ config }), { name: 'SettingError', message: `${config}:3:1: ` })
})

const programs: Readonly<Record<string, Settings>> = { probe: probeSettings, collector: collectorSettings }
for (const [program, settings] of Object.entries(programs))
  t.test(`sockflux ${program} --help tells every setting`, async t => {
    const { code, stdout } = await sockflux(program, '--help')
    t.equal(code, 0)
    const words = stdout.replace(/\s+/g, ' ')
    for (const [name, { help, value, secret, env = [] }] of Object.entries(settings)) {
      const flag = `--${snake(name).replaceAll('_', '-')}`
      const has = (text: string) => t.ok(words.includes(text), `${name}: ${text}`)
      if (secret) t.notMatch(stdout, flag, `${name} is no flag`)
      else has(value ? `${flag} ${value} ` : `${flag} `)
      has(help)
      for (const variable of [`SOCKFLUX_${snake(name).toUpperCase()}`, ...env])
        has(secret ? `${variable}[_FILE]` : variable)
    }
    t.ok(
      words.includes(
        `Keys of the file, below \`${program}:\` or at its top level: ${keysOf(settings).join(', ')}`,
      ),
    )
  })

/** A file with every key of the collector; the flags of `run`, `top` and `query` are only some of them. */
const complete = (directory: string) => `
probe:
  interval: 0
collector:
  listen: ['ipc://${directory}/probes']
  socket: ${directory}/socket
  profile: sockflux
  sink: embedded
  store: ${directory}/store
  store_days: 2
  influx_version: 1
  influx_database: d
  waiting_samples: 1000
  log_level: warn
`

t.test('run, top and query take a complete file', async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'settings') // short enough for a socket
  const config = join(directory, 'a.yaml')
  await writeFile(config, complete(directory))
  const nobody = `sockflux: no collector answers at ${directory}/socket: start one (sockflux collector), or give its socket (--socket)\n`
  for (const args of [
    ['top', '--once'],
    ['query', 'select 1'],
  ]) {
    const { code, stderr } = await sockflux(...args, '--config', config)
    t.equal(code, 1)
    t.equal(stderr, nobody, args[0]!)
  }
  const { code, stderr } = await sockflux('run', '--config', config)
  t.equal(code, 1)
  t.match(stderr, 'the probe ended', 'run gets as far as its probe, which refuses the interval of 0')
  t.match(stderr, `${config}:3:13: probe.interval: needs a whole number from 1 to 3600, not 0`)
})

t.test('a setting that was renamed is read by its former name, and warned of', async t => {
  for (const [flags, env, where] of [
    [{ spread: '3' }, {}, '--spread'],
    [{}, { SOCKFLUX_SPREAD: '3' }, 'SOCKFLUX_SPREAD'],
  ] as const) {
    const { values, warnings, problems } = inspectSettings(probeSettings, 'probe', flags, env)
    t.same(problems, [])
    t.equal(values.sendOffset, 3)
    t.same(warnings, [`${where}: this setting is now called send-offset: use the new name`])
  }
  const both = inspectSettings(probeSettings, 'probe', { sendOffset: '2', spread: '3' }, {})
  t.same([both.values.sendOffset, both.warnings], [2, []], 'the new name wins')
})
