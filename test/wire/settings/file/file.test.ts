import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { collectorSettings } from '../../../../collector/options.ts'
import { probeSettings } from '../../../../probe/options.ts'
import { LINK } from '../../../../wire/settings/endpoint.ts'
import { inspectSettings } from '../../../../wire/settings/read.ts'

const probe = (root: string, env = {}, flags = {}) =>
  inspectSettings(probeSettings, 'probe', flags, env, { root })
const collector = (root: string) => inspectSettings(collectorSettings, 'collector', {}, {}, { root })

t.test('the default file of each program is read when no other is named', async t => {
  const root = t.testdir({
    etc: { sockflux: { 'probe.yaml': 'interval: 3\n', 'collector.yaml': 'collector:\n  store_days: 2\n' } },
    other: 'probe:\n  send_offset: 1\n',
  })
  t.equal(probe(root).values.interval, 3)
  t.equal(probe(root).file, join(root, 'etc/sockflux/probe.yaml'))
  t.equal(probe(root).given('interval'), `${root}/etc/sockflux/probe.yaml:1:11: interval`)
  t.equal(collector(root).values.storeDays, 2)
  for (const { values } of [
    probe(root, { SOCKFLUX_CONFIG: join(root, 'other') }),
    probe(root, {}, { config: join(root, 'other') }),
  ])
    t.same([values.interval, values.sendOffset], [10, 1], 'the default file is not read as well')
  t.equal(probe(root, { SOCKFLUX_INTERVAL: '4' }).values.interval, 4)
})

t.test('no default file is fine, a broken one is not', async t => {
  t.same(probe(t.testdir({})).problems, [])
  t.same(probe(t.testdir({ etc: { sockflux: 'a file' } })).problems, [])
  const broken = t.testdir({ etc: { sockflux: { 'probe.yaml': 'interval: [\n' } } })
  t.match(probe(broken).problems, [`${broken}/etc/sockflux/probe.yaml:2:1: `])
  const folder = t.testdir({ etc: { sockflux: { 'probe.yaml': {} } } })
  t.same(probe(folder).problems, [
    `the default file: cannot read ${folder}/etc/sockflux/probe.yaml (EISDIR): correct the path or its permissions`,
  ])
})

const etc = (probe: string) => ({ etc: { sockflux: { 'probe.yaml': probe } } })

t.test("the probe's setting `collector` does not collide with the collector's section", async t => {
  for (const text of [
    'collector: tcp://a:1\n',
    'collector: [tcp://a:1]\n',
    'probe:\n  collector: tcp://a:1\n',
  ]) {
    const { values, problems } = probe(t.testdir(etc(text)))
    t.same([values.collector, problems], [['tcp://a:1'], []], text)
  }
  for (const text of [
    'collector:\n',
    'collector:\n  store_days: 2\n',
    'collector: {}\nprobe:\n  interval: 10\n',
  ]) {
    const { values, problems } = probe(t.testdir(etc(text)))
    t.same([values.collector, values.interval, problems], [[LINK], 10, []], text)
  }
})

t.test('every mistake is found, with the nearest name', async t => {
  const root = t.testdir(etc('intervall: 1\nudp: maybe\nmax_flows: 1\nHost: a\nsomething: 1\n'))
  const file = `${root}/etc/sockflux/probe.yaml`
  const { problems } = probe(root, { SOCKFLUX_HOST: 'a,b' })
  t.match(problems, [
    `${file}:1:1: the file has no key intervall: did you mean interval?`,
    `${file}:4:1: the file has no key Host: did you mean host?`,
    `${file}:5:1: the file has no key something: choose from collector, send_to`,
    'SOCKFLUX_HOST: needs a host name',
    `${file}:3:12: max_flows: needs a whole number`,
    `${file}:2:6: udp: needs one of calls, packets, off`,
  ])
  t.equal(problems.length, 6)
})

t.test('a mistyped flag gets the nearest flag as a suggestion', async t => {
  for (const [wrong, right] of [
    ['--intervall', '--interval'],
    ['--colector', '--collector'],
    ['--max-flow', '--max-flows'],
    ['--logLevel', '--log-level'],
  ]) {
    const stderr = await new Promise<string>(resolve =>
      execFile(
        process.execPath,
        [join(import.meta.dirname, '../../../../cli/sockflux.ts'), 'probe', wrong!, '1'],
        { env: { PATH: process.env['PATH'] } },
        (_, __, stderr) => resolve(stderr),
      ),
    )
    t.match(stderr, `Did you mean ${right}?`)
  }
})
