import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ended, SOCKFLUX } from '../../harness/sockflux.ts'

const NOWHERE = { INFLUX_URL: 'http://127.0.0.1:1' }
const setup = (words: readonly string[], env: Record<string, string> = {}) =>
  ended([...SOCKFLUX, 'setup', ...words], env)

t.jobs = 2

t.test('wrong words are refused with their place', async t => {
  const wrong: [string[], Record<string, string>, RegExp][] = [
    [['influxdb'], {}, /^sockflux: setup influxdb needs --influx-url or INFLUX_URL$/m],
    [
      ['influxdb', '--keep-raw', '5m'],
      NOWHERE,
      /^sockflux: --keep-raw: needs a time from 1h to 100y .*, not "5m"$/m,
    ],
    [
      ['influxdb'],
      { ...NOWHERE, SOCKFLUX_KEEP_HOURS: 'x' },
      /^sockflux: SOCKFLUX_KEEP_HOURS: needs a time .*or off/m,
    ],
    [
      ['influxdb', '--backfill-to', '1d'],
      NOWHERE,
      /^sockflux: --backfill-to: has no effect without --backfill/m,
    ],
    [['influxdb', '--backfill', 'then'], NOWHERE, /^sockflux: --backfill: needs a time such as 3d/m],
    [
      ['influxdb', '--influx-database', 'a\tb'],
      NOWHERE,
      /^sockflux: --influx-database: the text has the invisible/m,
    ],
    [['influxdb'], NOWHERE, /^sockflux: nothing listens at http:\/\/127\.0\.0\.1:1/m],
    [['influxdb', 'x'], NOWHERE, /too many arguments/],
    [['influx'], {}, /unknown command 'influx'/],
  ]
  for (const [words, env, message] of wrong) {
    const { code, stdout, stderr } = await setup(words, env)
    t.equal(code, 1, words.join(' '))
    t.equal(stdout, '')
    t.match(stderr, message)
  }
})

t.test('the collector’s file and variables are read; a mistyped one is told', async t => {
  const file = join(t.testdir({}), 'a.yaml')
  writeFileSync(
    file,
    'collector:\n  influx_url: http://127.0.0.1:2\n  store_days: 3\n  listen: [tcp://*:1]\n',
  )
  const { stderr } = await setup(['influxdb', '--config', file], { SOCKFLUX_KEEP_RAWW: '1d' })
  t.match(stderr, /^sockflux: SOCKFLUX_KEEP_RAWW is not a setting .*did you mean SOCKFLUX_KEEP_RAW\?$/m)
  t.match(stderr, 'nothing listens at http://127.0.0.1:2')
  const fine = await ended([...SOCKFLUX, 'config', 'check', 'collector'], { SOCKFLUX_KEEP_RAW: '1d' })
  t.notMatch(fine.stdout, 'KEEP_RAW')
})

t.test('the help names every setting', async t => {
  const { stdout } = await setup(['influxdb', '--help'])
  for (const flag of [
    '--influx-url',
    '--keep-raw',
    '--keep-minutes',
    '--keep-hours',
    '--late-by',
    '--shorten',
  ])
    t.match(stdout, flag)
  for (const word of ['--credentials', '--backfill', '--dry-run', 'INFLUX_TOKEN[_FILE]', '--profile'])
    t.match(stdout, word)
})
