import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { parse } from 'yaml'
import { setUpGrafana } from '../../../../cli/setup/grafana/main.ts'
import { DATABASES } from '../../../../grafana/datasource.ts'
import { startInflux } from '../../../harness/influx.ts'
import { ended, SOCKFLUX } from '../../../harness/sockflux.ts'

t.jobs = 2

const grafana = (folder: string, words: readonly string[], env: Record<string, string> = {}) =>
  ended([...SOCKFLUX, 'setup', 'grafana', folder, ...words], env)
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

t.test('the version of InfluxDB is asked; a second run changes nothing; no secret is written', async t => {
  const server = await startInflux()
  t.teardown(() => server.remove())
  const folder = join(t.testdir({}), 'it')
  const env = { INFLUX_PASSWORD: 'hush-hush', INFLUX_USERNAME: 'me' }
  const url = server.url.replace('://', '://someone:hush-hush@')
  const words = [
    '--influx-url',
    server.url,
    '--profile',
    'ntopng',
    '--mounted-at',
    '/grafana',
    '--window-seconds',
    '30',
  ]
  const dry = await grafana(folder, [...words, '--dry-run'], env)
  t.equal(dry.code, 0, dry.stderr)
  t.throws(() => filesOf(folder))
  const first = await grafana(folder, words, env)
  t.equal(first.code, 0, first.stderr)
  const { datasources } = parse(readFileSync(join(folder, 'datasources/sockflux.yaml'), 'utf8'))
  t.match(datasources, [
    {
      ...{ type: 'influxdb', url: server.url, user: '$INFLUX_USERNAME' },
      jsonData: { version: 'InfluxQL', dbName: 'ntopng', timeInterval: '30s' },
      secureJsonData: { password: '$INFLUX_PASSWORD' },
    },
  ])
  const { providers } = parse(readFileSync(join(folder, 'dashboards/sockflux.yaml'), 'utf8'))
  t.equal(providers[0].options.path, '/grafana/dashboards/sockflux')
  t.match(first.stdout, /^note {2}Grafana needs in its environment: INFLUX_USERNAME, INFLUX_PASSWORD$/m)
  const times = filesOf(folder).map(file => statSync(file).mtimeMs)
  for (const again of [words, ['--influx-url', url, ...words.slice(2)]]) {
    const second = await grafana(folder, again, env)
    t.match(second.stdout, /^nothing to change$/m)
    t.notMatch(second.stdout, /^done/m)
  }
  t.same(
    filesOf(folder).map(file => statSync(file).mtimeMs),
    times,
  )
  for (const file of filesOf(folder)) {
    t.notMatch(readFileSync(file, 'utf8'), 'hush-hush', file)
    t.equal(statSync(file).mode & 0o022, 0)
  }
})

t.test('each database; from one to another files are replaced and removed', async t => {
  const folder = t.testdir({})
  const lastLine: Record<string, RegExp> = { influxdb3: /^nothing to change$/ } // it reads as 2.x does
  for (const database of DATABASES) {
    const out = new PassThrough()
    await setUpGrafana({
      ...{
        folder,
        options: { database, url: 'http://db:1', folder: '/x' },
        replace: false,
        dryRun: false,
        out,
      },
    })
    const printed = String(out.read()).trimEnd().split('\n')
    t.match(printed.at(-1), lastLine[database] ?? /files? changed$/, database)
    const { datasources } = parse(readFileSync(join(folder, 'datasources/sockflux.yaml'), 'utf8'))
    t.match(datasources, [
      { type: database === 'prometheus' ? 'prometheus' : 'influxdb', url: 'http://db:1' },
    ])
    t.ok(readdirSync(join(folder, 'dashboards/sockflux')).length > 5)
  }
})

t.test('files of others stay, unless --replace says otherwise', async t => {
  const folder = t.testdir({ datasources: { 'sockflux.yaml': 'mine\n', 'other.yaml': 'mine too\n' } })
  const words = ['--datasource', 'prometheus', '--datasource-url', 'http://db:1']
  const first = await grafana(folder, words)
  t.equal(first.code, 1)
  t.match(
    first.stderr,
    /^sockflux: a file in .* that others wrote or changed would be written over: datasources\/sockflux\.yaml; move/m,
  )
  t.same(filesOf(folder).length, 2, 'nothing was written')
  const dry = await grafana(folder, [...words, '--dry-run'])
  t.match(dry.stdout, /^would {2}replace datasources\/sockflux\.yaml, which others wrote or changed$/m)
  const second = await grafana(folder, [...words, '--replace'])
  t.match(second.stdout, /^done {2}replace datasources\/sockflux\.yaml, which others wrote or changed$/m)
  t.equal(readFileSync(join(folder, 'datasources/other.yaml'), 'utf8'), 'mine too\n')
  writeFileSync(join(folder, 'dashboards/sockflux/overview.json'), '{}')
  t.equal((await grafana(folder, words)).code, 1, 'a dashboard that was edited is somebody’s work')
})

t.test('what is missing or wrong', async t => {
  const folder = t.testdir({})
  const wrong: [string[], RegExp][] = [
    [[], /setup grafana: give --datasource, or --influx-url, whose version is asked/],
    [['--datasource', 'influxdb4'], /--datasource: needs one of influxdb1, influxdb2, influxdb3, prometheus/],
    [['--influx-url', 'http://127.0.0.1:1'], /nothing listens at http:\/\/127\.0\.0\.1:1/],
    [
      ['--datasource', 'influxdb1', '--datasource-url', 'http://u:p@db'],
      /--datasource-url: needs an address .*without a login, not "…@db"/,
    ],
    [['--datasource', 'influxdb1', '--mounted-at', 'x'], /--mounted-at: needs a path that begins with \//],
  ]
  for (const [words, message] of wrong) {
    const { code, stderr } = await grafana(folder, words)
    t.equal(code, 1)
    t.match(stderr, message)
  }
  t.match(await grafana('', ['--datasource', 'influxdb1']), { code: 1, stderr: /needs a folder/ })
})

t.test(
  'dashboards open on the policy of the windows; alerts ask it, with the limits that are given',
  async t => {
    const server = await startInflux()
    t.teardown(() => server.remove())
    const folder = t.testdir({})
    const url = ['--influx-url', server.url, '--influx-database', 'my "flows"']
    const read = (path: string) => readFileSync(join(folder, path), 'utf8')
    const opensOn = () => {
      const { templating } = JSON.parse(read('dashboards/sockflux/tcp.json'))
      return templating.list.find(({ name }: { name: string }) => name === 'rp').current.value
    }
    const before = await grafana(folder, url)
    t.equal(before.code, 0, before.stderr)
    t.match(before.stdout, /^note {2}the retention policy of the windows is not known, .*database not found/m)
    t.equal(opensOn(), 'autogen')
    await server.query('CREATE DATABASE "my \\"flows\\"" WITH DURATION 30d NAME "raw 10s"')
    const then = await grafana(folder, url)
    t.match(
      then.stdout,
      /^note {2}dashboards open on retention policy raw 10s; alerts ask the database's default/m,
    )
    t.equal(opensOn(), 'raw 10s')
    t.notMatch(read('alerting/sockflux.yaml'), 'raw 10s')
    const limits = ['--rtt-above', '300', '--retransmits-above', '7', '--failed-above', '0']
    const given = await grafana(folder, [...url, ...limits, '--influx-retention-policy', 'a "b"'])
    t.equal(given.code, 0, given.stderr)
    t.equal(opensOn(), 'a "b"')
    const rules = read('alerting/sockflux.yaml')
    for (const text of [
      'is above 300 ms',
      'more than 7 %',
      'More than 0 conn',
      'FROM "a \\"b\\""."probe:stats"',
    ])
      t.ok(rules.includes(text), text)
    const wrong = await grafana(folder, ['--influx-url', `${server.url}/somewhere`])
    t.match(wrong, { code: 1, stderr: /http:\/\/localhost:\d+\/somewhere/ })
  },
)
