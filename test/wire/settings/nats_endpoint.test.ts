import t from 'tap'
import { checkProbe } from '../../../probe/check.ts'
import { probeSettings } from '../../../probe/options.ts'
import { linkFault, linkOf, natsLinkOf } from '../../../wire/settings/endpoint.ts'
import { inspectSettings } from '../../../wire/settings/read.ts'

t.test('servers of one cluster, encrypted off loopback unless it says otherwise', async t => {
  const cases: [text: string, is: ReturnType<typeof natsLinkOf>][] = [
    ['nats://a.example:4222', { servers: ['a.example:4222'], isEncrypted: true }],
    ['nats://127.0.0.1:4222', { servers: ['127.0.0.1:4222'], isEncrypted: false }],
    ['nats://localhost:4222,tls', { servers: ['localhost:4222'], isEncrypted: true }],
    ['nats://[::1]:1+b:2,plain', { servers: ['[::1]:1', 'b:2'], isEncrypted: false }],
    ['nats://localhost:1+b:2', { servers: ['localhost:1', 'b:2'], isEncrypted: true }],
    ['nats://a:1,partitions=64', { servers: ['a:1'], isEncrypted: true, partitions: 64 }],
  ]
  for (const [text, is] of cases) {
    t.equal(linkFault(text, 'connect'), undefined, text)
    t.same(natsLinkOf(text), is, text)
    t.equal(linkOf(text).security, 'server')
  }
})

t.test('what is wrong is named, with the remedy, and no password', async t => {
  const cases: [text: string, fault: RegExp][] = [
    ['nats://a', /port is missing: write nats:\/\/host:port/],
    ['nats://me:secret@a:1', /^nats:\/\/…@a:1: .*--nats-credentials/],
    ['nats://a:1/path', /without a path/],
    ['nats://a:1+a:1', /there twice/],
    ['nats://*:1', /name the host/],
    ['nats://a:1,curve', /write plain, tls or partitions=N/],
    ['nats://a:1,plain,tls', /either plain or tls/],
    ['nats://a:1,partitions=0', /no number of partitions/],
    ['nats://a:1,partitions=5000', /no number of partitions/],
    ['nats://', /needs an endpoint/],
    ['tcp://a:1,tls', /write plain, curve or ifid=N/],
  ]
  for (const [text, fault] of cases) t.match(linkFault(text, 'connect'), fault, text)
  t.match(linkFault('nats://a:1,partitions=8', 'bind'), /probe's --collector/)
  t.equal(linkFault('nats://a:1,ifid=6', 'bind'), undefined)
})

t.test(
  'in a variable the words stay with their endpoint, and one of several is no choice behind a stream',
  async t => {
    const env = { SOCKFLUX_COLLECTOR: 'nats://localhost:1,tls,partitions=8,ipc:///run/x.sock' }
    const read = (more: Record<string, string>) =>
      inspectSettings(
        probeSettings,
        'probe',
        {},
        { ...env, ...more, SOCKFLUX_CONFIG: '/dev/null' },
        { check: checkProbe },
      )
    t.same(read({}).values.collector, ['nats://localhost:1,tls,partitions=8', 'ipc:///run/x.sock'])
    t.same(read({}).problems, [])
    t.match(read({ SOCKFLUX_SEND_TO: 'one' }).problems, [/--send-to one.*nats:\/\/a:4222\+b:4222/])
  },
)
