import t from 'tap'
import { collectorSettings } from '../../../collector/options.ts'
import { probeSettings } from '../../../probe/options.ts'
import { readSettings } from '../../../wire/settings/read.ts'
import { endpoint, listening, socket } from '../../../wire/settings/types.ts'

const faultOf = (type: ReturnType<typeof endpoint> | ReturnType<typeof socket>, text: string) =>
  type.safeParse(text).error?.issues[0]?.message

const TAKEN = [
  'tcp://127.0.0.1:5556',
  'tcp://collector:5556',
  'tcp://collector.example.:5556',
  'tcp://my_collector-1:65535',
  'tcp://9to5.example:1',
  'tcp://xn--bcher-kva.example:5556',
  'tcp://[::1]:5556',
  'tcp://[::ffff:10.0.0.1]:5556',
  'tcp://[fe80::1%eth0]:5556',
  'tcp://[fe80::1%2]:5556',
  `ipc:///${'x'.repeat(106)}`,
  'ipc://@sockflux',
  `tcp://${'a'.repeat(63)}.${'b'.repeat(63)}:1`,
]

/** What is written behind `--collector`, and what is said after it. */
const REFUSED: readonly (readonly [string, string])[] = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what people forget
  ['tcp://${HOST}:5556', "${HOST} was never replaced: write the host's name or address"],
  ['tcp://$HOST:5556', "$HOST was never replaced: write the host's name or address"],
  ['tcp://{{host}}:5556', "{{host}} was never replaced: write the host's name or address"],
  ['tcp://<collector>:5556', "<collector> was never replaced: write the host's name or address"],
  ['tcp://“collector”:5556', 'a host has no “ (U+201C) in its name: correct it'],
  ['tcp://(collector):5556', 'a host has no ( in its name: correct (collector)'],
  ['tcp://=collector:5556', 'a host has no = in its name: correct =collector'],
  ['tcp://coll%ector:5556', 'a host has no % in its name: correct coll%ector'],
  ['tcp://coll ector:5556', 'a host has no   in its name: correct coll ector'],
  ['tcp://eth0;127.0.0.1:5556', 'a host has no ; in its name: correct eth0;127.0.0.1'],
  [
    'tcp://bücher.example:5556',
    'bücher.example has letters beyond ASCII: write xn--bcher-kva.example, its name in the DNS',
  ],
  ['tcp://収集:5556', '収集 has letters beyond ASCII: write xn--lor817m, its name in the DNS'],
  ['tcp://collector–1:5556', 'a host has no – (U+2013) in its name: correct it'],
  ['tcp://256.1.1.1:5556', '256.1.1.1 is not an IPv4 address: give four numbers from 0 to 255'],
  ['tcp://10.0.0:5556', '10.0.0 is not an IPv4 address: give four numbers from 0 to 255'],
  ['tcp://010.0.0.1:5556', '010.0.0.1 is not an IPv4 address: give four numbers from 0 to 255'],
  ['tcp://0x7f.1:5556', '0x7f.1 is not an IPv4 address: give four numbers from 0 to 255'],
  ['tcp://[12345::1]:5556', '12345::1 is not an IPv6 address: correct it'],
  ['tcp://[::1::2]:5556', '::1::2 is not an IPv6 address: correct it'],
  ['tcp://[collector]:5556', '[collector] is not an IPv6 address: correct it, or leave the brackets out'],
  ['tcp://::1:5556', 'an IPv6 address is in brackets: write tcp://[::1]:5556'],
  ['tcp://[fe80::1]:5556', 'fe80::1 is link-local: add its interface, as in fe80::1%eth0'],
  ['tcp://[fe80::1%]:5556', ' is not an interface: give 1 to 15 characters without / and blanks'],
  [
    'tcp://[fe80::1%enp0s31f6.1234567]:5556',
    'enp0s31f6.1234567 is not an interface: give 1 to 15 characters without / and blanks',
  ],
  [
    'tcp://-collector:5556',
    '-collector is not a host name: each part must begin and end with a letter or digit',
  ],
  ['tcp://a..b:5556', 'a..b is not a host name: each part must begin and end with a letter or digit'],
  [`tcp://${'a'.repeat(64)}:1`, "a part of the host's name has 64 characters: 63 is the most"],
  [`tcp://${'a.'.repeat(127)}a:1`, "the host's name has 255 characters: 253 is the most"],
  ['tcp://:5556', 'the host is missing: give its name or address'],
  ['tcp://collector', 'the port is missing: write tcp://host:port, as in tcp://127.0.0.1:5556'],
  ['tcp://collector:', 'nothing is not a port: give a number from 1 to 65535'],
  ['tcp://collector:65536', '65536 is not a port: give a number from 1 to 65535'],
  ['tcp://collector:0', '0 is not a port: give a number from 1 to 65535'],
  ['tcp://collector:5556/', '5556/ is not a port: give a number from 1 to 65535'],
  ['tcp://collector:*', '* is not a port: give a number from 1 to 65535'],
  ['tcp://*:5556', '* is for listening: name the host of the collector'],
  ['tcp://collector:5556,ifid=6', "ifid is for the collector's --listen: leave it out"],
  [`ipc:///${'x'.repeat(107)}`, 'the path has 108 bytes, a unix socket takes 107: give a shorter one'],
  [`ipc:///${'ü'.repeat(60)}`, 'the path has 121 bytes, a unix socket takes 107: give a shorter one'],
  ['ipc:///run/$USER/x', 'a placeholder in the path was never replaced: write the path'],
  ['ipc:///run/sockflux/', 'a path of a socket has no *, comma or blank and does not end with /: correct it'],
]

t.test('an endpoint that can be connected to is taken', async t => {
  for (const text of TAKEN) t.equal(endpoint().parse(text), text)
})

for (const [text, says] of REFUSED)
  t.test(`--collector ${text.slice(0, 60)} is refused in a sentence`, async t => {
    t.throws(() => readSettings(probeSettings, 'probe', { collector: [text] }, {}), {
      name: 'SettingError',
      message: `--collector: ${text}: ${says}`,
    })
  })

t.test('a login is no part of an endpoint, and is not repeated', async t => {
  for (const text of ['tcp://user:pass@collector:5556', 'tcp://p@ss@collector:5556', 'tcp://@collector:5556'])
    t.equal(
      faultOf(endpoint(), text),
      'tcp://…@collector:5556: an endpoint has no user: write tcp://host:port',
    )
})

t.test('text that is no endpoint gets an error with an example of one', async t => {
  for (const text of [
    'collector:5556',
    'udp://collector:5556',
    'tcp:/collector:5556',
    'TCP://a:1',
    'tcp://',
    '',
  ])
    t.match(faultOf(endpoint(), text), /^needs an endpoint such as tcp:/, text)
})

t.test('the wrong one of a list is named, with its variable', async t => {
  const env = { SOCKFLUX_COLLECTOR: 'tcp://a:1,tcp://b:x' }
  t.throws(() => readSettings(probeSettings, 'probe', {}, env), {
    message: 'SOCKFLUX_COLLECTOR: tcp://b:x: x is not a port: give a number from 1 to 65535',
  })
})

t.test('to listen any address and port will do, and an ifid', async t => {
  for (const text of [
    'tcp://*:5556',
    'tcp://*:*',
    'tcp://eth0:5556,ifid=6',
    'tcp://[::]:1',
    'ipc:///run/x,ifid=a.b-c',
  ])
    t.equal(listening().parse(text), text)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what people forget
  for (const text of ['tcp://${IP}:5556', 'tcp://256.0.0.1:5556', 'tcp://*', 'ipc://*', 'tcp://“*”:5556'])
    t.match(faultOf(listening(), text), `${text}: `)
  t.match(faultOf(listening(), 'tcp://*:5556,ifid='), /nothing is not an ifid/)
  t.match(faultOf(listening(), 'tcp://*:5556,ifid=a b'), /a b is not an ifid/)
})

t.test('a socket is a path that sun_path holds', async t => {
  t.equal(socket().parse('/run/x.sock'), '/run/x.sock')
  t.equal(socket().parse('unix:///run/containerd/containerd.sock'), '/run/containerd/containerd.sock')
  t.match(faultOf(socket(), `/${'x'.repeat(107)}`), /the path has 108 bytes, a unix socket takes 107/)
  for (const text of ['tcp://127.0.0.1:5556', 'ipc:///run/x', 'localhost:2375'])
    t.match(faultOf(socket(), text), /^needs the path of a unix socket/, text)
  t.match(faultOf(socket(), '/run/sockflux/'), /add the name of the socket/)
  t.match(faultOf(socket(), '/run/$USER/x'), /never replaced/)
})

t.test('Prometheus is answered at an address that can be', async t => {
  const read = (prometheus: string) =>
    readSettings(collectorSettings, 'collector', { prometheus }, {}).prometheus
  t.same(read('[fe80::1%eth0]:9469'), { host: 'fe80::1%eth0', port: 9469 })
  for (const text of ['256.1.1.1:9469', '[12345::1]:9469', '(a):9469', '<host>:9469', '$IP:9469'])
    t.throws(() => read(text), { message: `--prometheus: ${text}: ` })
})
