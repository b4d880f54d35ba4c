import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { checkCollector } from '../../collector/check.ts'
import { collectorSettings } from '../../collector/options.ts'
import { inspectSettings } from '../../wire/settings/read.ts'
import { needs } from '../harness/skip.ts'

type Flags = Readonly<Record<string, unknown>>
const inspect = (flags: Flags, env: NodeJS.ProcessEnv = {}) =>
  inspectSettings(collectorSettings, 'collector', flags, env, { check: checkCollector, root: '/nonexistent' })
const URL = { influxUrl: 'http://127.0.0.1:8086' }

t.test('the defaults have no problems and no warnings', async t => {
  t.match(inspect({}), { problems: [], warnings: [] })
})

const WRONG: readonly { flags: Flags; env?: NodeJS.ProcessEnv; says: string }[] = [
  {
    flags: { listen: ['tcp://*:1,plain', 'tcp://*:1,plain'] },
    says: '--listen: tcp://*:1 is there twice: leave one out',
  },
  {
    flags: { listen: ['ipc:///run/x', 'ipc:///run/x,ifid=9'] },
    says: '--listen: ipc:///run/x is there twice: leave one out',
  },
  ...[
    ['tcp://*:1,ifid=6,plain', 'tcp://*:2,plain,ifid=6', '6'],
    ['tcp://*:1,plain,ifid=1', 'tcp://*:2,plain', '1'],
    ['tcp://*:1,plain', 'tcp://*:2,plain,ifid=0', '0'],
  ].map(([first, second, ifid]) => ({
    flags: { listen: [first, second] },
    says: `--listen: ifid ${ifid} is there twice (without ,ifid= it is the position from 0): give each endpoint its own`,
  })),
  ...['workload', 'service'].map(group => ({
    flags: { metrics: [`flows,${group}`] },
    says: `--metrics: ${group} needs the facts of a cluster: give --cluster-from, or leave it out`,
  })),
  {
    flags: { clusterLabel: ['team'] },
    says: '--cluster-label: a label needs the facts of a cluster: give --cluster-from, or leave it out',
  },
  {
    flags: { clusterFrom: '/nowhere' },
    says: '--cluster-from /nowhere: there is no such file or directory: give api in a pod of the cluster, a kubeconfig file, or a directory of manifests',
  },
  ...['host', 'flows', 'rtt,host'].map(metrics => ({
    flags: { profile: 'ntopng', metrics: [metrics] },
    says: '--metrics: profile ntopng has no groups of measurements: leave it out, or take --profile sockflux',
  })),
  {
    flags: { ...URL, influxVersion: '2' },
    env: { INFLUX_TOKEN: 't' },
    says: '--influx-version: InfluxDB 2 needs an organisation: give --influx-org or INFLUX_ORG',
  },
  { flags: { sink: ['influxdb'] }, says: 'the sink influxdb needs --influx-url or INFLUX_URL' },
  {
    flags: URL,
    env: { INFLUX_PASSWORD: 'p' },
    says: 'INFLUX_PASSWORD: a password needs its user: give INFLUX_USERNAME',
  },
  {
    flags: { store: '/proc/x' },
    says: '--store: /proc is a pseudo file system (proc), where nothing can be stored: give a directory on a disk',
  },
  { flags: { store: '/etc/passwd' }, says: '--store: /etc/passwd is a file: give a directory' },
  { flags: { store: '/etc/passwd/a/b' }, says: '--store: /etc/passwd is a file: give a directory' },
  {
    flags: { socket: '/sys/x/y.sock' },
    says: '--socket: /sys is a pseudo file system (sysfs), where nothing can be stored: give a directory on a disk',
  },
  {
    flags: { ...URL, influxCa: '/nonexistent/ca' },
    says: '--influx-ca: cannot read /nonexistent/ca (ENOENT): correct the path or its permissions',
  },
]
for (const { flags, env, says } of WRONG)
  t.test(says, async t => {
    t.same(inspect(flags, env).problems, [says])
  })

t.test('settings that look like these mistakes and are right have no problems', async t => {
  for (const [flags, env] of [
    [{ listen: ['tcp://127.0.0.1:*', 'tcp://127.0.0.1:*'] }],
    [{ listen: ['tcp://*:1,plain,ifid=1', 'tcp://*:2,plain,ifid=0'] }],
    [{ profile: 'ntopng' }],
    [{ profile: 'ntopng', metrics: ['host'], prometheus: '9469' }],
    [{ ...URL, influxVersion: '2', influxOrg: 'o' }],
    [{ ...URL, store: '/proc/x' }],
    [URL, { INFLUX_USERNAME: 'u', INFLUX_PASSWORD: 'p' }],
  ] as [Flags, NodeJS.ProcessEnv?][])
    t.match(inspect(flags, env), { problems: [], warnings: [] }, JSON.stringify(flags))
})

t.test('a login in a flag is visible in ps: a warning; in a variable it is not', async t => {
  const influxUrl = 'http://u:hush@127.0.0.1:8086'
  t.match(inspect({ influxUrl }).warnings, [
    /^--influx-url: every user of this machine sees its login in ps: give/,
  ])
  t.notMatch(inspect({ influxUrl }).warnings.join(), 'hush')
  const twice = ['http://a:8086', 'http://u:hush@a:8086/', 'http://b:8086']
  t.same(inspect({}, { INFLUX_URL: twice.join() }).problems, [
    'INFLUX_URL: has http://a:8086 twice: each InfluxDB is there once',
  ])
  t.same(inspect({}, { INFLUX_URL: influxUrl }).warnings, [])
})

t.test('a setting without effect is a warning', async t => {
  t.match(inspect({ ...URL, sink: ['embedded'] }).warnings, ['--influx-url: has no effect'])
})

t.test('the file of certificates is checked', { skip: needs('openssl') }, async t => {
  const directory = t.testdir({ text: 'no certificate\n', empty: '' })
  const at = (name: string) => join(directory, name)
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=ca',
  ]
  execFileSync('openssl', [...made, '-keyout', at('key'), '-out', at('pem')], { stdio: 'ignore' })
  execFileSync('openssl', ['x509', '-in', at('pem'), '-outform', 'der', '-out', at('der')])
  const pem = await readFile(at('pem'), 'utf8')
  await writeFile(at('bundle'), `# two\n${pem}${pem}`)
  await writeFile(at('damaged'), pem + pem.replace(/^(.{40}).{30}/ms, '$1'))
  const url = 'https://127.0.0.1:8086'
  const problems = (name: string) => inspect({ influxUrl: url, influxCa: at(name) }).problems
  t.same([...problems('pem'), ...problems('bundle')], [])
  const says = (what: string) => [`--influx-ca: ${what}`]
  t.same(
    problems('text'),
    says(`${at('text')} is no certificate: give the certificate of the authority in PEM`),
  )
  t.same(
    problems('empty'),
    says(`${at('empty')} is no certificate: give the certificate of the authority in PEM`),
  )
  t.same(problems('key'), says(`${at('key')} is a private key: give the certificate of the authority`))
  t.same(
    problems('der'),
    says(`${at('der')} is a certificate in DER: write it as PEM (openssl x509 -inform der -in ${at('der')})`),
  )
  t.same(problems('damaged'), says(`certificate 2 in ${at('damaged')} is damaged: copy it again`))
  t.match(inspect({ ...URL, influxCa: at('pem') }).warnings, [
    /no effect with an address that begins with http:/,
  ])
  t.match(inspect({ influxUrl: url, influxCa: at('pem'), influxInsecure: true }).warnings, [
    '--influx-ca: has no effect, as --influx-insecure turns the verification off',
  ])
})
