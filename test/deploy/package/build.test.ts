/** The package as a file: the same bytes wherever and however it is packed, no error of lintian, and what is in it. */

import { globSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { collectorSettings } from '../../../collector/options.ts'
import { modules } from '../../../deploy/runtime.ts'
import { probeSettings } from '../../../probe/options.ts'
import { inspectSettings } from '../../../wire/settings/read.ts'
import type { Settings } from '../../../wire/settings/settings.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { debianPackage, EPOCH } from '../../harness/debian/package.ts'
import { run } from '../../harness/process.ts'
import { REPOSITORY } from '../../harness/repository.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { ended } from '../../harness/sockflux.ts'

const skip = needs('root', 'debian')
t.jobs = 4
t.setTimeout(600_000) // 30 s on a machine that does nothing else
const PACKING_MS = 300_000
/** What packing reads, and the modules that run. */
const PARTS =
  'package.json LICENSE CHANGELOG.md tsconfig.json deploy cli grafana probe collector wire dist native build/sockflux build/bpf build/node/bin build/node/LICENSE node_modules/.package-lock.json node_modules/bcc-bindings'

async function directory(t: Test): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  return scratch(cleanup, 'package')
}

t.test('packed in another folder, with a blank, under another umask: the same bytes', { skip }, async t => {
  const deb = await debianPackage('0.1.0')
  const root = join(await directory(t), 'my clone')
  await mkdir(root)
  const copy = 'cd "$0" && tar -cf - $2 | tar -xmf - -C "$1"' // -m: with the times of now
  await run(['sh', '-c', copy, REPOSITORY, root, [PARTS, ...(await modules())].join(' ')], PACKING_MS)
  const [output, packer] = [join(root, 'x.deb'), join(root, 'deploy/package/main.ts')]
  const words = ['--quick', '--version', '0.1.0', '--output', output]
  const command = [
    'sh',
    '-c',
    'umask 077; exec "$@"',
    'sh',
    join(root, 'build/node/bin/node'),
    packer,
    ...words,
  ]
  const made = await ended(command, { SOURCE_DATE_EPOCH: EPOCH, TZ: 'Asia/Tokyo', LC_ALL: 'C' }, PACKING_MS)
  t.match(made, { code: 0 }, made.stderr)
  t.match(await ended(['cmp', deb, output]), { code: 0 }, 'byte for byte')
})

t.test('without a commit the time has to be given', { skip }, async t => {
  const root = await directory(t)
  const command = [
    process.execPath,
    join(REPOSITORY, 'deploy/package/main.ts'),
    '--output',
    join(root, 'x.deb'),
  ]
  const { code, stderr } = await ended(command, { GIT_DIR: join(root, 'none'), SOURCE_DATE_EPOCH: '' })
  t.match(stderr, /^package: the time of the release is unknown .*: set SOURCE_DATE_EPOCH/)
  t.equal(code, 1)
})

t.test('lintian has no error and no warning', { skip }, async t => {
  const { stdout } = await ended(
    ['lintian', '-EvI', '--tag-display-limit=0', await debianPackage('0.1.0')],
    {},
    PACKING_MS,
  )
  t.same(
    stdout.split('\n').filter(line => /^[EW]:|unused-override|mismatched-override/.test(line)),
    [],
  )
  const overrides = await readFile(join(REPOSITORY, 'deploy/package/lintian-overrides'), 'utf8')
  t.match(overrides, /^#/, 'each group of overrides begins with its reason')
  for (const part of overrides.split(/^(?=#)/m)) t.match(part, /^# \S/)
})

t.test('what is in it', { skip }, async t => {
  const root = await directory(t)
  await run(['dpkg-deb', '--extract', await debianPackage('0.1.0'), root], PACKING_MS)
  const objects = globSync('usr/lib/sockflux/**/*.{node,so}', { cwd: root })
  t.equal(objects.length, 4, `the addon, zeromq, and two of DuckDB: ${objects.join(' ')}`)
  t.match(await ended([join(root, 'usr/bin/sockflux'), 'probe', '--help']), { code: 0, stderr: '' })
  t.match(await ended([join(root, 'usr/bin/sockflux'), 'collector', '--help']), { code: 0, stderr: '' })
  await t.test('manual pages without a complaint of man', async t => {
    const pages = globSync('usr/share/man/man*/*.gz', { cwd: root }).sort()
    t.same(
      pages.map(path => path.split('/').at(-1)),
      ['sockflux.1.gz', 'sockflux.yaml.5.gz', 'sockflux-collector.8.gz', 'sockflux-probe.8.gz'],
    )
    for (const path of pages) {
      const { code, stderr } = await ended(['man', '--warnings', '--local-file', join(root, path)], {
        MANWIDTH: '80',
      })
      t.same({ code, stderr }, { code: 0, stderr: '' }, path)
    }
    const shown = async (name: string) => {
      const page = join(root, pages.find(path => path.includes(name))!)
      const { stdout } = await ended(['man', '--local-file', page], { MANWIDTH: '1000' })
      return stdout.replace(/\s+/g, ' ')
    }
    const command = await shown('sockflux.1')
    for (const path of ['keys generate', 'keys withdraw', 'setup influxdb', 'setup grafana', 'config show'])
      t.match(command, new RegExp(` sockflux ${path} `), 'commands below others')
    const options = await shown('sockflux-probe.8')
    t.match(
      await shown('sockflux-collector.8'),
      / --influx-create, --no-influx-create [A-Z]/,
      'a flag and its opposite',
    )
    t.match(options, / --udp \[where\] Where UDP is counted: /)
    t.match(options, / at most half of it\. Variable: SOCKFLUX_SEND_OFFSET\./)
    const settings = await shown('sockflux.yaml.5')
    t.match(settings, / spool_age: <hours> [^:]* Default: 24 hours\. Variable/)
    t.match(settings, / queue_size: <size> [^:]* Default: 64M\. Variable/)
    t.match(settings, / label: \[<key>, \.\.\.\] /)
  })
  await t.test('completion', async t => {
    const script = join(root, 'usr/share/bash-completion/completions/sockflux')
    const completed = async (...words: readonly string[]) => {
      const shell = '. "$0"; COMP_WORDS=(sockflux "$@"); COMP_CWORD=$#; _sockflux; declare -p COMPREPLY'
      const said = await run(['bash', '-c', shell, script, ...words])
      return [...said.matchAll(/="([^"]*)"/g)].map(([, word]) => word)
    }
    t.same(await completed('prob'), ['probe'])
    t.same(await completed('config', 'ch'), ['check'])
    t.same(await completed('collector', '--influx-u'), ['--influx-url'])
    t.same(await completed('--ver'), ['--version'])
    t.ok((await completed('probe', '--config', '/etc/host')).includes('/etc/hosts'))
    t.ok(
      (await completed('probe', '--config', '=', '/etc/host')).includes('/etc/hosts'),
      '--config=/etc/host',
    )
    t.ok((await completed('probe', '--config', '=')).length > 0)
    t.same(await completed('probe', '--interval', ''), [], 'a number is no flag')
    t.same(await completed('probe', '--interval', '='), [])
  })
  await t.test('completion of zsh', { skip: needs('zsh') }, async t => {
    const script = join(root, 'usr/share/zsh/vendor-completions/_sockflux')
    // what zsh has for completion is there only while somebody types
    const shell = `_describe() { print -rl -- \${\${(P)2}%%:*} }; _files() { print files }
      compset() { PREFIX=\${PREFIX#*=} }
      script=$1; shift; words=(sockflux "$@"); CURRENT=$#words; PREFIX=\${words[CURRENT]}; source $script`
    const completed = async (...words: readonly string[]) =>
      (await run(['zsh', '-f', '-c', shell, 'zsh', script, ...words])).split('\n').filter(Boolean)
    t.ok((await completed('')).includes('probe'))
    t.same(await completed('config', ''), ['check', 'show', '--help'])
    t.ok((await completed('collector', '--in')).includes('--influx-url'))
    t.same(await completed('probe', '--config', ''), ['files'])
    t.same(await completed('probe', '--config=/etc'), ['files'])
    t.same(await completed('probe', '--interval', ''), [], 'a number is no flag')
    t.same(await completed('probe', '--interval='), [])
  })
  for (const [section, settings] of Object.entries({ probe: probeSettings, collector: collectorSettings }))
    await t.test(`/etc/sockflux/${section}.yaml`, async t => {
      const path = join(root, 'etc/sockflux', `${section}.yaml`)
      const read = () => inspectSettings(settings as typeof probeSettings, section, { config: path }, {})
      t.match(read(), { problems: [], warnings: [] }, 'as it is')
      // every value that has a default, switched on
      const text = await readFile(path, 'utf8')
      const on = text.replace(/^#(?=[a-z_]+:(?! \[?<)| {2}- )/gm, '')
      t.not(on, text)
      await writeFile(path, on)
      const { values, problems } = read()
      t.same(problems, [])
      for (const [name, { fallback }] of Object.entries(settings as Settings))
        t.same(values[name as keyof typeof values], fallback === '' ? undefined : fallback, name)
    })
})
