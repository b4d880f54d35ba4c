/** Everybody has a key, and may do what `sockflux setup nats` prints and nothing else: that is enough. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { connectNats } from '../../wire/nats/connect.ts'
import { subjectOf } from '../../wire/nats/names.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { selfSigned } from '../harness/influx.ts'
import { startNats } from '../harness/nats.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { ended, SOCKFLUX } from '../harness/sockflux.ts'
import { hostsOf, NatsStage, sorted } from './nats_stage.ts'

const HOSTS = 4

t.test(
  'collectors come and go with the permissions that setup nats prints',
  { skip: needs('nats', 'influxd', 'openssl', 'bpf') },
  async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const directory = await scratch(cleanup, 'natskeys')
    const [ca, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
    await selfSigned(ca, key)
    const setup = async (...words: string[]) => {
      const { code, stdout, stderr } = await ended([...SOCKFLUX, 'setup', 'nats', ...words])
      t.equal(code, 0, stderr)
      return stdout
    }
    const fileOf = (name: string) => join(directory, name)
    const keyOf = async (name: string) => (await setup('--new-key', fileOf(name))).trim()
    const users = hostsOf(HOSTS).map(async host => ['--user', `${host}=${await keyOf(host)}`])
    const others = ['collector', 'admin'].map(async name => [`--${name}-key`, await keyOf(name)])
    const keys = (await Promise.all([...users, ...others])).flat()
    const wanted = ['--partitions', '8', '--max-bytes', '64M', '--lease', '2']
    const configuration = await setup(...keys, ...wanted)
    const server = await startNats(cleanup, { tls: { cert: ca, key }, configuration })
    const endpoint = `nats://localhost:${server.port},tls`
    const as = (name: string) => ['--nats-ca', ca, '--nats-credentials', fileOf(name)]
    await setup(endpoint, ...as('admin'), ...wanted)

    const stage = await NatsStage.open(t, endpoint, HOSTS, {
      keys: {
        trust: host => ({
          ...{ keys: directory, collectorKey: [], linkUsers: [] },
          ...{ natsCredentials: fileOf(host), natsCa: ca },
        }),
        collector: as('collector'),
      },
    })
    await stage.startCollector('a')
    const publishing = stage.publish(10)
    await sleep(2000)
    await stage.startCollector('b')
    await stage.shared('a', 'b')
    await stage.endCollector('a', 'SIGKILL')
    await stage.shared('b')
    await stage.startCollector('a')
    await publishing
    await stage.stored(60_000)
    t.same(sorted(await stage.lines()), sorted(stage.expected))
    const where = ['--listen', endpoint, ...as('collector'), '--influx-url', stage.influx.url]
    const replayed = await ended([...SOCKFLUX, 'replay', '--from', '1h', ...where])
    t.match([replayed.code, replayed.stdout], [0, /windows of this time/], replayed.stderr)
    t.same(sorted(await stage.lines()), sorted(stage.expected), 'also after a replay')

    const access = { credentials: fileOf('collector'), ca }
    const collector = await connectNats(endpoint, access, { name: 'x', inboxPrefix: '_INBOX.x' })
    cleanup.defer(() => collector.close())
    const refused = [
      subjectOf('web0'),
      '$JS.API.STREAM.DELETE.SOCKFLUX',
      '$JS.API.STREAM.PURGE.SOCKFLUX',
    ].map(subject =>
      t.rejects(collector.request(subject, '', { timeout: 2000 }), /[Pp]ermission|timeout/, subject),
    )
    await Promise.all(refused)
    for (const name of ['a', 'b']) t.notMatch(stage.logOf(name), /[Pp]ermission/, stage.logOf(name))
  },
)
