import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'

const SOCKFLUX = join(import.meta.dirname, '../../cli/sockflux.ts')

function sockflux(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>()
  const given = { PATH: process.env['PATH'], ...env }
  execFile(process.execPath, [SOCKFLUX, ...words], { env: given, timeout: 60_000 }, (error, stdout, stderr) =>
    resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
  )
  return promise
}

t.jobs = 2

t.test('config check finds every mistake of flags, variables and file', async t => {
  const file = join(t.testdir({}), 'a.yaml')
  await writeFile(file, 'probe:\n  interval: 0\n  udb: true\ncollector:\n  store_days: x\n')
  const env = { SOCKFLUX_CONFIG: file, SOCKFLUX_HOST: 'a,b', SOCKFLUX_INTERVALL: '3', INFLUX_TOKEN: '“t”' }
  const { code, stdout, stderr } = await sockflux(['config', 'check'], env)
  t.equal(code, 1)
  t.equal(stderr, '')
  t.equal(
    stdout,
    `probe (${file}): cannot start
  wrong    ${file}:3:3: probe has no key udb: did you mean udp?
  wrong    ${file}:2:13: probe.interval: needs a whole number from 1 to 3600, not 0
  wrong    SOCKFLUX_HOST: needs a host name without commas, quotes and backslashes, not "a,b"
collector (${file}): cannot start
  wrong    ${file}:5:15: collector.store_days: needs a whole number from 1 to 36500, not "x"
  wrong    INFLUX_TOKEN: the text begins or ends with a typographic quote: remove it
environment:
  warning  SOCKFLUX_INTERVALL is not a setting and has no effect: did you mean SOCKFLUX_INTERVAL?
`,
  )
})

t.test('config check of one program takes its flags, and speaks JSON', async t => {
  const words = [
    'config',
    'check',
    'probe',
    '--collector',
    'tcp://a:0',
    '--collector',
    'tcp://b:1,plain',
    '--json',
  ]
  const { code, stdout } = await sockflux([...words, '--cri-socket', '/nonexistent/x'])
  t.equal(code, 1)
  t.same(JSON.parse(stdout), {
    probe: {
      file: null,
      problems: ['--collector: tcp://a:0: 0 is not a port: give a number from 1 to 65535'],
      warnings: [
        '--cri-socket: there is no socket /nonexistent/x: correct it, unless the runtime starts later',
      ],
    },
    environment: { warnings: [] },
  })
  const fine = await sockflux(['config', 'check', 'collector', '--store-days', '3'])
  t.same([fine.code, fine.stdout], [0, 'collector: can start\n'])
})

t.test('config show tells each value and where it is from, and no secret', async t => {
  const file = join(t.testdir({ 'a.yaml': 'collector:\n  store_days: 3\n' }), 'a.yaml')
  const env = {
    SOCKFLUX_CONFIG: file,
    INFLUX_URL: 'http://u:hush1@127.0.0.1:8086,http://v:hush4,hush5@b',
    INFLUX_TOKEN: 'hush2',
    INFLUX_PASSWORD: 'hush3',
    INFLUX_USERNAME: 'me',
  }
  const words = ['config', 'show', 'collector', '--prometheus', '9469', '--listen', 'tcp://*:1,plain']
  const text = await sockflux(words, env)
  t.equal(text.code, 0)
  t.match(text.stdout, /^collector +value +from$/m)
  t.match(text.stdout, /^listen +tcp:\/\/\*:1,plain +--listen$/m)
  t.match(text.stdout, /^store_days +3 +.+a\.yaml:2:15: collector\.store_days$/m)
  t.match(text.stdout, /^influx_url +http:\/\/…@127\.0\.0\.1:8086, http:\/\/…@b +INFLUX_URL$/m)
  t.match(text.stdout, /^influx_token +\*{8} +INFLUX_TOKEN$/m)
  t.match(text.stdout, /^influx_password +\*{8} +INFLUX_PASSWORD$/m)
  t.match(text.stdout, /^prometheus +127\.0\.0\.1:9469 +--prometheus$/m)
  t.match(text.stdout, /^influx_org +- +default$/m)
  const json = await sockflux([...words, '--json'], env)
  const { collector } = JSON.parse(json.stdout)
  t.same(collector.store_days, { value: 3, from: `${file}:2:15: collector.store_days` })
  t.same(collector.influx_token, { value: '********', from: 'INFLUX_TOKEN' })
  t.same(collector.influx_org, { value: null, from: 'default' })
  t.notMatch(text.stdout + json.stdout, /hush/)
})

t.test('a long list in config show is on lines of its own, and no line is wide', async t => {
  const { stdout } = await sockflux(['config', 'show'])
  for (const line of stdout.split('\n')) t.ok(line.length <= 100, line)
  const name = 'a'.repeat(60)
  const one = await sockflux(['config', 'show', 'probe', '--host', name])
  t.match(one.stdout, new RegExp(`^host +--host\n  ${name}$`, 'm'))
})

t.test('config show with a mistake shows the default, and says so', async t => {
  const { code, stdout, stderr } = await sockflux(['config', 'show'], { SOCKFLUX_INTERVAL: '0' })
  t.equal(code, 1)
  t.match(stdout, /^interval +10 +SOCKFLUX_INTERVAL$/m)
  t.match(stderr, /^sockflux: SOCKFLUX_INTERVAL: needs .*; the default is shown$/m)
})

for (const program of ['probe', 'collector'])
  t.test(`sockflux ${program} warns of a mistyped variable`, async t => {
    const wrong = program === 'probe' ? ['--interval', '0'] : ['--store-days', '0']
    const { code, stderr } = await sockflux([program, ...wrong], {
      SOCKFLUX_STOR: 'x',
      SOCKFLUX_MAX_FLOWS: '2000',
    })
    t.equal(code, 1)
    t.match(
      stderr,
      /^sockflux: SOCKFLUX_STOR is not a setting and has no effect: did you mean SOCKFLUX_STORE\?$/m,
    )
    t.match(stderr, /needs a whole number from 1/)
    t.notMatch(stderr, 'MAX_FLOWS')
  })

t.test(
  'variables of setup and replay are known to every command, and mistyped ones are warned of there too',
  async t => {
    const known = { SOCKFLUX_LEASE: '12', SOCKFLUX_KEEP_RAW: '9d', SOCKFLUX_FROM_ZERO: 'true' }
    for (const args of [['setup', 'nats'], ['replay'], ['config', 'check']]) {
      const { stderr, stdout } = await sockflux(args, { ...known, SOCKFLUX_RAT: '5' })
      const warnings = `${stdout}${stderr}`.match(/SOCKFLUX_\w+ is not a setting.*/g)
      t.equal(warnings?.length, 1, `${warnings}`)
      t.match(warnings, [/^SOCKFLUX_RAT .*did you mean SOCKFLUX_(RATE|RTT)\?/], args.join(' '))
    }
  },
)

t.test('setup nats is not disturbed by the key of a collector that is set for the probe', async t => {
  const { code, stderr } = await sockflux(['setup', 'nats'], { SOCKFLUX_COLLECTOR_KEY: '0a'.repeat(32) })
  t.same({ code, stderr }, { code: 0, stderr: '' })
  const mistaken = await sockflux(['setup', 'nats'], { SOCKFLUX_NATS_COLLECTOR_KEY: 'X' })
  t.match(mistaken.stderr, /SOCKFLUX_NATS_COLLECTOR_KEY: needs the public key/)
})
