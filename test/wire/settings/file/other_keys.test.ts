import t, { type Test } from 'tap'
import { inspectSettings } from '../../../../wire/settings/read.ts'
import { setting } from '../../../../wire/settings/settings.ts'
import { text, whole, yesNo } from '../../../../wire/settings/types.ts'

const optional = (...keys: string[]) =>
  setting<string | undefined>({ type: text(), fallback: undefined, value: '<x>', help: '', keys })
const SETTINGS = {
  sendTo: optional('target.address', 'sendTo'),
  certificateName: optional('target.tls.serverName'),
  size: setting({ type: whole(1, 9), fallback: 5, value: '<n>', help: '', keys: ['target.size'] }),
  isOn: setting({
    ...{ type: yesNo(), fallback: true, help: '', keys: ['target.enable'] },
    idle: {
      database: 'records go elsewhere: give --send-to',
      'target.tls.secret': 'a Secret is not read: mount it',
      bridge: 'not of this program',
      gateway: 'not of this program',
    },
  }),
}

function read(t: Test, yaml: string) {
  const root = t.testdir({ etc: { sockflux: { 'collector.yaml': yaml } } })
  const { values, problems, warnings, given } = inspectSettings(SETTINGS, 'collector', {}, {}, { root })
  const short = (text: string | undefined) => text?.replace(`${root}/etc/sockflux/collector.yaml`, 'F')
  return {
    values,
    problems: problems.map(short),
    warnings: warnings.map(short),
    from: short(given('sendTo')),
  }
}

t.test('settings as another program has them, at their place', async t => {
  for (const section of ['', 'collector:\n']) {
    const lines = 'target:\n  enable: false\n  address: a\n  size: 3\n  tls:\n    serverName: b\n'
    const yaml = section === '' ? lines : `${section}${lines.replaceAll(/^/gm, '  ').trimEnd()}\n`
    const { values, problems, warnings, from } = read(t, yaml)
    t.same(values, { sendTo: 'a', certificateName: 'b', size: 3, isOn: false })
    t.same([problems, warnings], [[], []])
    t.match(from, section === '' ? 'F:3:12: target.address' : 'F:4:14: collector.target.address')
  }
})

t.test('what is empty is not given, there alone', async t => {
  const yaml = 'sendTo: ""\ntarget:\n  address:\n  size:\n  tls: {}\nbridge: ""\ngateway: []\n'
  t.match(read(t, yaml), { values: { sendTo: undefined, size: 5 }, problems: [], warnings: [] })
  t.match(read(t, 'target:\n').problems, [])
  t.match(read(t, 'send_to: ""\n').problems, ['F:1:10: send_to: needs a text that is not empty'])
})

t.test('keys that change nothing are answered, once for each reason; what is off is not', async t => {
  const yaml = `bridge: br
database:
  url: x
gateway: gw
target:
  tls:
    secret: s
`
  t.same(read(t, yaml).warnings, [
    'F:1:1: bridge, gateway: not of this program',
    'F:2:1: database: records go elsewhere: give --send-to',
    'F:7:5: target.tls.secret: a Secret is not read: mount it',
  ])
  t.same(read(t, 'database:\n  enable: false\n  url: x\n').warnings, [])
  t.equal(read(t, 'database:\n  enable: true\n').warnings.length, 1)
})

t.test('mistakes have their place, and what may stand there', async t => {
  t.same(read(t, 'target:\n  adress: a\n').problems, [
    'F:2:3: target has no key adress: did you mean address?',
  ])
  t.same(read(t, 'target:\n  zzzzzz: a\n').problems, [
    'F:2:3: target has no key zzzzzz: choose from address, tls, size, enable',
  ])
  t.same(read(t, 'target: a\n').problems, ['F:1:9: target must be a mapping'])
  t.same(read(t, 'target:\n  size: 10\n').problems, [
    'F:2:9: target.size: needs a whole number from 1 to 9, not 10',
  ])
  t.same(read(t, 'send_to: a\ntarget:\n  address: b\n').problems, [
    'F:3:3: send_to is there twice: leave one out',
  ])
})
