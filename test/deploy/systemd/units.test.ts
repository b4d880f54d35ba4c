/** The units as systemd reads them, without a system that runs them; `test/e2e/systemd.test.ts` runs them. */

import { readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { Cleanup } from '../../harness/cleanup.ts'
import { REPOSITORY } from '../../harness/repository.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { ended } from '../../harness/sockflux.ts'

const skip = needs('systemd')
const SOURCE = join(REPOSITORY, 'deploy/systemd')
const units = readdirSync(SOURCE).filter(name => name.endsWith('.service'))

async function directory(t: Test): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  return scratch(cleanup, 'units')
}

/** Files as `make install-units` has put them, with a command that is there. */
async function installed(t: Test, prefix: string) {
  const above = await directory(t)
  const env = { DESTDIR: above, PREFIX: join(above, prefix) }
  await mkdir(join(env.PREFIX, 'bin'), { recursive: true })
  await writeFile(join(env.PREFIX, 'bin/sockflux'), '#!/bin/sh\n', { mode: 0o755 })
  const script = [process.execPath, join(REPOSITORY, 'deploy/units.ts')]
  const files = async () =>
    (await ended(['find', join(above, 'etc'), '-type', 'f'])).stdout.split('\n').filter(Boolean).sort()
  return { above, files, run: (word: string) => ended([...script, word], env) }
}

t.test('the service can write where the manual has its flow records', async t => {
  const unit = await readFile(join(SOURCE, 'sockflux-collector.service'), 'utf8')
  const manual = await readFile(join(REPOSITORY, 'docs/flows.md'), 'utf8')
  const [, directory] = /^LogsDirectory=(.+)$/m.exec(unit) ?? []
  t.match(manual, `--flow-file /var/log/${directory}/flows.json`)
  const purge = await readFile(join(REPOSITORY, 'deploy/package/scripts/postrm'), 'utf8')
  t.match(purge, new RegExp(`rm -rf .* /var/log/${directory} `), 'and a purge removes it')
})

const MOST = { 'sockflux-collector.service': 20, 'sockflux-probe.service': 40 } as const

for (const [unit, threshold] of Object.entries(MOST))
  t.test(`${unit} is exposed by at most ${threshold / 10}`, { skip }, async t => {
    const words = ['security', '--offline=true', '--no-pager', `--threshold=${threshold}`, join(SOURCE, unit)]
    const { code, stdout } = await ended(['systemd-analyze', ...words])
    t.equal(code, 0, String(stdout.trim().split('\n').at(-1)))
  })

for (const prefix of ['usr/local', 'opt/with $x, 100%n'])
  t.test(`what is installed for ${prefix} has nothing to complain of, and is removed`, { skip }, async t => {
    const { above, files, run } = await installed(t, prefix)
    t.match(await run('install'), { code: 0, stderr: '' })
    const found = await files()
    t.same(
      found.map(path => path.slice(above.length)),
      [
        ...units.map(name => `/etc/systemd/system/${name}`),
        '/etc/sysusers.d/sockflux.conf',
        '/etc/tmpfiles.d/sockflux.conf',
      ],
    )
    const services = found.filter(path => path.endsWith('.service'))
    t.same(await ended(['systemd-analyze', 'verify', '--recursive-errors=no', ...services]), {
      code: 0,
      stdout: '',
      stderr: '',
    })
    t.match(await run('uninstall'), { code: 0, stderr: '' })
    t.same(await files(), [])
  })

t.test('a path that systemd cannot start is refused', { skip }, async t => {
  const { files, run } = await installed(t, "it's here")
  t.match(await run('install'), {
    code: 1,
    stderr: /^install: systemd starts no program .*: choose another PREFIX\n$/,
  })
  t.same(await files().catch(() => []), [])
  t.match(await run('uninstall'), { code: 0, stdout: '', stderr: '' })
})

t.test('a unit that somebody has changed stays', { skip }, async t => {
  const { files, run } = await installed(t, 'usr/local')
  await run('install')
  const [first] = (await files()).filter(path => basename(path) === 'sockflux-probe.service')
  await writeFile(first!, `${await readFile(first!, 'utf8')}# mine\n`)
  await run('uninstall')
  t.same(await files(), [first])
})

t.test('the capabilities of the unit are those that the probe explains', async t => {
  const { PRIVILEGES } = await import('../../../probe/kernel/privileges.ts')
  const text = await readFile(join(SOURCE, 'sockflux-probe.service'), 'utf8')
  const names = PRIVILEGES.map(({ name }) => name).sort()
  for (const key of ['AmbientCapabilities', 'CapabilityBoundingSet'])
    t.same(new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.split(' ').sort(), names)
})
