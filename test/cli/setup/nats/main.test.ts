import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { jetstream } from '@nats-io/jetstream'
import t from 'tap'
import { connectNats } from '../../../../wire/nats/connect.ts'
import { partitionOf, placeOf, STREAM, subjectOf, tokenOf } from '../../../../wire/nats/names.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { selfSigned } from '../../../harness/influx.ts'
import { startNats } from '../../../harness/nats.ts'
import { startSource } from '../../../harness/publisher.ts'
import { scratch } from '../../../harness/scratch.ts'
import { needs } from '../../../harness/skip.ts'
import { ended, SOCKFLUX } from '../../../harness/sockflux.ts'
import { until } from '../../../harness/until.ts'

const skip = needs('nats', 'openssl', 'bpf')
const setup = (...words: string[]) => ended([...SOCKFLUX, 'setup', 'nats', ...words])

t.test('with keys and TLS each probe publishes for its own host alone', { skip }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'natskeys')
  const [ca, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  await selfSigned(ca, key)
  const keyOf = async (name: string) => {
    const file = join(directory, name)
    const { stdout } = await setup('--new-key', file)
    t.equal((await stat(file)).mode & 0o777, 0o600)
    t.match(await readFile(file, 'utf8'), /^SU[A-Z2-7]{56}\n$/)
    return { file, key: stdout.trim() }
  }
  const [web, collector, admin] = [await keyOf('web'), await keyOf('collector'), await keyOf('admin')]
  t.match((await setup('--new-key', web.file)).stderr, /is there already/)
  const keys = ['--user', `web.1=${web.key}`, '--collector-key', collector.key, '--admin-key', admin.key]
  const wanted = ['--partitions', '8', '--max-bytes', '64M']
  const { stdout: configuration } = await setup(...keys, ...wanted)
  const server = await startNats(cleanup, { tls: { cert: ca, key }, configuration })
  const endpoint = `nats://localhost:${server.port},tls`
  const as = (credentials: string) => ['--nats-ca', ca, '--nats-credentials', credentials]

  const large = await setup(endpoint, ...as(admin.file), '--max-bytes', '100G')
  t.match([large.code, large.stderr], [1, /insufficient storage.*smaller --max-bytes/])
  const first = await setup(endpoint, ...as(admin.file), ...keys, ...wanted)
  t.match(first.stdout, /done {2}stream SOCKFLUX/, first.stderr)
  t.match(first.stdout, /ok {4}the mapping leads to the partitions/)
  const second = await setup(endpoint, ...as(admin.file), ...keys, ...wanted)
  t.match(second.stdout, /nothing to change/)
  const other = await setup(endpoint, ...as(admin.file), '--partitions', '16')
  t.match([other.code, other.stderr], [1, /the stream has 8 partitions.*--partitions 8/])
  const nobody = await setup(endpoint, '--nats-ca', ca)
  t.match([nobody.code, nobody.stderr], [1, /does not know our key/])

  const access = { credentials: admin.file, ca }
  const how = { name: 'test', inboxPrefix: '_INBOX.test' }
  const client = await connectNats(endpoint, access, how)
  cleanup.defer(() => client.close())
  const manager = await jetstream(client).jetstreamManager()
  const trust = { keys: directory, collectorKey: [], linkUsers: [], natsCredentials: web.file, natsCa: ca }
  const [own, forged] = [
    await startSource('web.1', [endpoint], trust),
    await startSource('web.2', [endpoint], trust),
  ]
  cleanup.defer(() => Promise.all([own.close(), forged.close()]))
  const time = Math.floor(Date.now() / 1000)
  for (const source of [forged, own]) source.publish(time)
  await until('it is stored', () => own.stats.accounts.stored.windows === 1)
  const { state } = await manager.streams.info(STREAM)
  t.equal(state.messages, 1)
  const message = await manager.streams.getMessage(STREAM, { seq: state.last_seq })
  const token = tokenOf('web.1')
  t.same(
    placeOf(message!.subject),
    { partition: partitionOf(token, 8), host: 'web.1' },
    'the server maps as we compute',
  )
  t.equal(forged.stats.accounts.waiting.windows, 1)
  const direct = await connectNats(
    endpoint,
    { credentials: web.file, ca },
    { name: 'x', inboxPrefix: '_INBOX.web%2E1' },
  )
  cleanup.defer(() => direct.close())
  for (const subject of [
    subjectOf(tokenOf('web.2')),
    subjectOf(tokenOf('web.2'), 8),
    '$JS.API.STREAM.DELETE.SOCKFLUX',
  ])
    await t.rejects(direct.request(subject, 'x', { timeout: 2000 }), /[Pp]ermission|timeout/, subject)
  t.equal((await manager.streams.info(STREAM)).state.messages, 1, 'the server took none of them')
})
