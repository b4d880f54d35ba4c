import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { collectorSettings } from '../../../collector/options.ts'
import { probeSettings } from '../../../probe/options.ts'
import { inspectSettings, readSettings } from '../../../wire/settings/read.ts'

type Text = Readonly<Record<string, string>>
const probe = (env: Text, flags: Readonly<Record<string, unknown>> = {}) =>
  readSettings(probeSettings, 'probe', flags, env)
const collector = (env: Text, flags: Readonly<Record<string, unknown>> = {}) =>
  readSettings(collectorSettings, 'collector', flags, env)

t.test('what an editor on Windows leaves is cut, wherever it comes from', async t => {
  t.equal(probe({ SOCKFLUX_HOST: 'web1\r' }).host, 'web1')
  t.equal(probe({}, { host: '\ufeffweb1\r\n' }).host, 'web1')
  t.equal(collector({ SOCKFLUX_STORE: '/tmp/st2\r' }).store, '/tmp/st2')
  t.equal(collector({ INFLUX_TOKEN: 't0ken\r' }).influxToken, 't0ken')
  t.equal(collector({ INFLUX_DATABASE: 'metrics\r' }).influxDatabase, 'metrics')
  t.same(collector({ INFLUX_URL: '\ufeffhttp://a:8086\r\n' }).influxUrl, ['http://a:8086'])
  t.equal(probe({ SOCKFLUX_INTERVAL: '5\r' }).interval, 5)
  t.equal(probe({ SOCKFLUX_UDP: 'false\r' }).udp, 'off')
  t.same(probe({ SOCKFLUX_LABEL: 'app, tier\r\n' }).label, ['app', 'tier'])
  t.same(probe({}, { label: ['app\r', ' tier '] }).label, ['app', 'tier'])
  t.equal(probe({ SOCKFLUX_HOST: '\r' }).host, undefined, 'nothing is left')
  const directory = t.testdir({
    token: '\ufefft0ken\r\n',
    crlf: '\ufeffprobe:\r\n  host: web1\r\n  interval: 3\r\n  label:\r\n    - app\r\n',
  })
  t.equal(collector({ INFLUX_TOKEN_FILE: `${join(directory, 'token')}\r` }).influxToken, 't0ken')
  const { host, interval, label } = probe({ SOCKFLUX_CONFIG: `${join(directory, 'crlf')}\r` })
  t.same([host, interval, label], ['web1', 3, ['app']])
})

t.test('blanks around a password belong to it', async t => {
  t.equal(collector({ INFLUX_PASSWORD: ' p ', INFLUX_USERNAME: 'u' }).influxPassword, ' p ')
})

t.test('other characters that nobody sees, and quotes, are refused by name', async t => {
  const cases: readonly [Text, string][] = [
    [{ SOCKFLUX_HOST: 'web\r1' }, 'SOCKFLUX_HOST: the text has the invisible character U+000D: remove it'],
    [{ SOCKFLUX_HOST: 'web\n1' }, 'SOCKFLUX_HOST: the text has the invisible character U+000A: remove it'],
    [
      { SOCKFLUX_HOST: 'web\u200b1' },
      'SOCKFLUX_HOST: the text has the invisible character U+200B: remove it',
    ],
    [
      { SOCKFLUX_HOST: 'a\u001b[2J' },
      'SOCKFLUX_HOST: the text has the invisible character U+001B: remove it',
    ],
    [
      { SOCKFLUX_ALIVE_FILE: 'a\u202eb' },
      'SOCKFLUX_ALIVE_FILE: the text has the invisible character U+202E: remove it',
    ],
    [
      { SOCKFLUX_HOST: '"web1"' },
      'SOCKFLUX_HOST: the text is in quotes, which are part of the value here: remove them',
    ],
    [
      { SOCKFLUX_LABEL: "'a'" },
      'SOCKFLUX_LABEL: the text is in quotes, which are part of the value here: remove them',
    ],
    [
      { SOCKFLUX_HOST: '“web1”' },
      'SOCKFLUX_HOST: the text begins or ends with a typographic quote: remove it',
    ],
    [
      { SOCKFLUX_HOST: '„web1“' },
      'SOCKFLUX_HOST: the text begins or ends with a typographic quote: remove it',
    ],
  ]
  for (const [env, message] of cases) t.throws(() => probe(env), { name: 'SettingError', message })
  const secrets: readonly [Text, string][] = [
    [
      { INFLUX_TOKEN: '“t0ken”' },
      'INFLUX_TOKEN: the text begins or ends with a typographic quote: remove it',
    ],
    [
      { INFLUX_TOKEN: '"t0ken"' },
      'INFLUX_TOKEN: the text is in quotes, which are part of the value here: remove them',
    ],
    [{ INFLUX_TOKEN: 't0\rken' }, 'INFLUX_TOKEN: the text has the invisible character U+000D: remove it'],
    [{ INFLUX_TOKEN: 'tökén' }, 'INFLUX_TOKEN: needs a token of ASCII letters, digits and marks'],
    [{ INFLUX_TOKEN: 'two words' }, 'INFLUX_TOKEN: needs a token of ASCII letters, digits and marks'],
  ]
  for (const [env, message] of secrets) t.throws(() => collector(env), { name: 'SettingError', message })
  t.throws(() => collector({}, { store: '"/srv"' }), { message: /^--store: the text is in quotes/ })
})

t.test('in YAML quotes are syntax', async t => {
  const file = join(t.testdir({}), 'a.yaml')
  await writeFile(file, `collector:\n  influx_username: u\n  influx_password: '"p"'\n  influx_org: "a\\tb"\n`)
  const { values, problems } = inspectSettings(collectorSettings, 'collector', { config: file }, {})
  t.equal(values.influxPassword, '"p"')
  t.same(problems, [
    `${file}:4:15: collector.influx_org: the text has the invisible character U+0009: remove it`,
  ])
})

t.test('a file of settings or a secret is text, small and not empty', async t => {
  const directory = t.testdir({ utf16: Buffer.from('\ufeffprobe:\n', 'utf16le'), empty: '\n', two: 'a\nb\n' })
  const at = (name: string) => join(directory, name)
  t.throws(() => probe({ SOCKFLUX_CONFIG: at('utf16') }), {
    message: `SOCKFLUX_CONFIG: ${at('utf16')} is not UTF-8 text: save it as UTF-8`,
  })
  t.throws(() => probe({}, { config: '/dev/zero' }), {
    message: '--config: /dev/zero is larger than 1 MiB: give the file with the settings',
  })
  t.throws(() => collector({ INFLUX_TOKEN_FILE: '/dev/zero' }), { message: /larger than 1 MiB/ })
  t.throws(() => collector({ INFLUX_TOKEN_FILE: at('empty') }), {
    message: `INFLUX_TOKEN_FILE: ${at('empty')} is empty: write the secret into it`,
  })
  t.throws(() => collector({ INFLUX_TOKEN_FILE: at('two') }), {
    message: 'INFLUX_TOKEN_FILE: the text has the invisible character U+000A: remove it',
  })
  t.throws(() => probe({}, { config: directory }), { message: /EISDIR/ })
})

t.test('a secret that others can read gets a warning', { skip: process.platform !== 'linux' }, async t => {
  const directory = t.testdir({})
  const write = async (name: string, mode: number, text: string) => {
    const path = join(directory, name)
    await writeFile(path, text, { mode })
    return path
  }
  const inspect = (env: Text) => inspectSettings(collectorSettings, 'collector', {}, env).warnings
  const open = await write('open', 0o644, 't\n')
  t.same(inspect({ INFLUX_TOKEN_FILE: open }), [
    `INFLUX_TOKEN_FILE: other users can read the secret (${open} has mode 0644): chmod 600 ${open}`,
  ])
  const group = await write('group', 0o640, 't\n')
  if (process.getuid?.() === 0) {
    t.same(inspect({ INFLUX_TOKEN_FILE: group }), [], "root's file, for the group of a service")
    await chown(group, 65_534, 65_534)
  }
  t.match(inspect({ INFLUX_TOKEN_FILE: group }), [/mode 0640/])
  t.same(inspect({ INFLUX_TOKEN_FILE: await write('own', 0o600, 't\n') }), [])
  const yaml = (key: string) => `collector:\n  ${key}\n`
  const secret = await write('secret.yaml', 0o644, yaml('influx_token: t'))
  t.match(inspect({ SOCKFLUX_CONFIG: secret }), [
    /secret\.yaml: influx_token: other users can read the secret/,
  ])
  const login = await write('login.yaml', 0o644, yaml('influx_url: http://u:p@a:8086'))
  t.match(inspect({ SOCKFLUX_CONFIG: login }), [/influx_url: other users can read the secret/])
  const second = await write('second.yaml', 0o644, yaml('influx_url: [http://a, http://u:p@b]'))
  t.match(inspect({ SOCKFLUX_CONFIG: second }), [/influx_url: other users can read the secret/])
  t.same(inspect({ SOCKFLUX_CONFIG: await write('plain.yaml', 0o644, yaml('influx_org: o')) }), [])
})
