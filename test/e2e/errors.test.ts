import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { showRepository } from '../harness/repository.ts'
import { needs } from '../harness/skip.ts'
import { type Ended, ended, openSite, type Site, SOCKFLUX } from '../harness/sockflux.ts'

// they wait more than they work
t.jobs = 3

const kernel = { skip: needs('root', 'bpf') }

const run = (...words: string[]): Promise<Ended> => ended([...SOCKFLUX, ...words])

/** One sentence on standard error, nothing else, and exit code 1. */
function checkSentence(t: Test, { code, stdout, stderr }: Ended, sentence: RegExp): void {
  t.match(stderr, sentence)
  t.equal(code, 1)
  t.equal(stdout, '')
  const lines = stderr.split('\n').filter(line => line && line !== '(run with --help for usage)')
  t.equal(lines.length, 1, 'one sentence', { stderr })
}

async function setUp(t: Test): Promise<Site> {
  const site = await openSite()
  t.teardown(() => site.close())
  return site
}

t.test('what is typed wrong is said in one sentence', async t => {
  for (const [words, sentence] of [
    [['bogus'], /unknown command 'bogus'/],
    [['collector', '--bogus'], /unknown option '--bogus'/],
    [['collector', '--listen', 'nowhere'], /^sockflux: --listen: needs an endpoint such as tcp:/],
    [['collector', '--profile', 'ntop'], /^sockflux: --profile: needs one of sockflux, ntopng, not "ntop"/],
    [['collector', '--store-size', '1'], /^sockflux: --store-size: needs a size/],
    [['collector', '--influx-url', 'influx'], /^sockflux: --influx-url: needs an address such as http:/],
    [['collector', '--influx-url', 'influx://me:secret@host'], /such as \S+, not "…@host"$/m],
    [
      ['collector', '--store', '/dev/null/x'],
      /^sockflux: --store: \/dev\/null is a file: give a directory$/m,
    ],
    [['collector', '--sink', 'influxdb'], /^sockflux: the sink influxdb needs --influx-url or INFLUX_URL/],
    [['probe', '--interval', '0'], /^sockflux: --interval: needs a whole number from 1 to 3600, not "0"/],
    [['probe', '--interval', '1.5'], /^sockflux: --interval: needs a whole number/],
    [['probe', '--collector', 'http://a:1'], /^sockflux: --collector: needs an endpoint such as tcp:/],
    [['run', '--socket', ''], /^sockflux: --socket: needs a text that is not empty/],
    [['query', 'a', 'b'], /too many arguments for 'query'/],
  ] as const)
    checkSentence(t, await run(...words), sentence)
})

t.test('what is wrong in a file is said with line and column', async t => {
  const site = await setUp(t)
  const file = join(site.directory, 'sockflux.yaml')
  for (const [text, sentence] of [
    ['collector:\n  listen: [tcp://127.0.0.1:1\n', /sockflux\.yaml:3:1: Flow sequence in block collection/],
    [
      'collector:\n  lisen: tcp://127.0.0.1:1\n',
      /sockflux\.yaml:2:3: collector has no key lisen: did you mean listen\?/,
    ],
    ['collector:\n  store_days: never\n', /sockflux\.yaml:2:15: collector\.store_days: needs a whole number/],
    ['collector:\n  listen: []\n', /sockflux\.yaml:2:11: collector\.listen: needs at least one, not \[\]/],
    ['colector: {}\n', /sockflux\.yaml:1:1: the file has no key colector: did you mean collector\?/],
    ['- collector\n', /sockflux\.yaml:1:1: the file must be a mapping/],
  ] as const) {
    await writeFile(file, text)
    checkSentence(t, await run('collector', '--config', file), sentence)
  }
  const missing = join(site.directory, 'missing.yaml')
  checkSentence(
    t,
    await run('probe', '--config', missing),
    /^sockflux: --config: cannot read \S+ \(ENOENT\): correct the path/,
  )
  checkSentence(t, await run('probe', '--config', site.directory), /cannot read \S+ \(EISDIR\)/)
})

t.test('what another collector has is said with its name', async t => {
  const [site, other] = [await setUp(t), await setUp(t)]
  await site.collector()
  const flags = ({ link, socket, store }: Pick<Site, 'link' | 'socket' | 'store'>) => [
    ...['--listen', link, '--socket', socket, '--store', store],
  ]
  const { link, socket, store } = other
  checkSentence(
    t,
    await run('collector', ...flags({ link: site.link, socket, store })),
    /^sockflux: cannot listen on tcp:\S+: Address already in use; is another collector running\?$/m,
  )
  checkSentence(
    t,
    await run('collector', ...flags({ link, socket: site.socket, store })),
    /^sockflux: another collector answers at \S+: stop it or give this one another socket$/m,
  )
  checkSentence(
    t,
    await run('collector', ...flags({ link, socket, store: site.store })),
    /^sockflux: \S+ is open in another process \(\d+\): stop it, or give each collector its own directory/,
  )
  checkSentence(
    t,
    await other.run('query', 'select 1'),
    /^sockflux: no collector answers at \S+: start one \(sockflux collector\), or give its socket \(--socket\)$/m,
  )
  checkSentence(t, await other.run('top', '--once'), /^sockflux: no collector answers at/)
  checkSentence(t, await site.run('query', 'selct 1'), /^sockflux: .*syntax error/)
})

t.test('a probe without its privileges says which', kernel, async t => {
  // tap's loader, which it adds to every child, writes into the repository
  const nobody = [
    'env',
    '-u',
    'NODE_OPTIONS',
    'setpriv',
    '--reuid',
    'nobody',
    '--regid',
    'nogroup',
    '--clear-groups',
  ]
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const { behind, at } = await showRepository(cleanup)
  checkSentence(
    t,
    await ended([...behind, ...nobody, ...SOCKFLUX.map(at), 'probe']),
    /^sockflux: .*lacks CAP_BPF.*CAP_PERFMON.*(run it as root|start it with)/,
  )
  const poor = ['setpriv', '--bounding-set=-bpf,-sys_admin', '--inh-caps=-bpf,-sys_admin']
  checkSentence(t, await ended([...poor, ...SOCKFLUX, 'probe']), /^sockflux: .*lacks CAP_BPF/)
})

t.test('a kernel without type information is said to be the cause', kernel, async t => {
  const hidden = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"'
  const command = ['unshare', '--mount', 'sh', '-c', hidden, 'sh', ...SOCKFLUX, 'probe']
  checkSentence(t, await ended(command), /^sockflux: .*\/sys\/kernel\/btf\/vmlinux.*CONFIG_DEBUG_INFO_BTF=y/)
})
