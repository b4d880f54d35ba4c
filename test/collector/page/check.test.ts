import { writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import t from 'tap'
import { checkCollector } from '../../../collector/check.ts'
import { collectorSettings } from '../../../collector/options.ts'
import { inspectSettings } from '../../../wire/settings/read.ts'
import { selfSigned } from '../../harness/certificate.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { openSite } from '../../harness/sockflux.ts'

const OPEN = '0.0.0.0:9470'
const inspect = (flags: Readonly<Record<string, unknown>>) =>
  inspectSettings(collectorSettings, 'collector', flags, {}, { check: checkCollector, root: '/nonexistent' })

t.test('away from loopback the page asks for TLS or a proxy', async t => {
  for (const http of [OPEN, '[::]:9470', '192.0.2.1:9470', 'host.example:9470'])
    t.match(
      inspect({ http }).problems,
      [/^--http: .* is reached from other machines.*--http-certificate.*--http-name/],
      http,
    )
  for (const http of ['9470', '127.0.0.1:9470', '127.9.0.1:1', '[::1]:9470', 'localhost:9470'])
    t.match(inspect({ http }), { problems: [], warnings: [] }, http)
  for (const http of [OPEN, '[::]:9470', '192.0.2.1:9470'])
    t.match(
      inspect({ http, httpName: ['flows.example'] }),
      {
        problems: [],
        warnings: [/^--http: .* in plain text, also past the proxy flows\.example: listen at 127/],
      },
      'a proxy has a name',
    )
  t.same(inspect({ http: '127.0.0.1:9470', httpName: ['flows.example'] }).warnings, [])
  t.match(inspect({ httpName: ['flows.example'] }).warnings, [/^--http-name: has no effect without --http$/])
})

t.test('certificate and key', { skip: needs('openssl') }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const folder = await scratch(cleanup, 'tls')
  const [a, b] = [selfSigned(folder, 'localhost'), selfSigned(folder, 'other')]
  const broken = join(folder, 'broken.key')
  writeFileSync(broken, 'no key')
  const problems = (httpCertificate?: string, httpKey?: string) =>
    inspect({ http: OPEN, ...(httpCertificate && { httpCertificate }), ...(httpKey && { httpKey }) }).problems
  t.same(problems(a.certificate, a.key), [])
  t.match(problems(a.certificate), [/^--http-certificate: a certificate and its key belong together/])
  t.match(problems(undefined, a.key).join('\n'), /^--http-key: a certificate and its key belong together/)
  t.match(problems(a.certificate, b.key), [/^--http-key: .* is not the key of /])
  t.match(problems(a.certificate, broken), [/^--http-key: .* is no private key in PEM/])
  t.match(problems(a.certificate, join(folder, 'none')), [/^--http-key: .*ENOENT/])
  t.match(problems(join(folder, 'none'), a.key), [/^--http-certificate: cannot read /])

  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector(['--http', '127.0.0.1:0', '--http-certificate', a.certificate, '--http-key', a.key])
  const link = (await site.run('page')).stdout.trim()
  t.match(link, /^https:\/\/127\.0\.0\.1:\d+\/\?token=/)
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  get(link, { rejectUnauthorized: false, agent: false }, answer => {
    answer.resume()
    resolve(answer.headers['set-cookie']?.[0])
  }).on('error', reject)
  t.match(await promise, /; HttpOnly; SameSite=Strict; Secure$/)
})
