/** The probe as a user with the capabilities of its unit, and with each of them taken away. */

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Capability, setOf, threads } from '../harness/capabilities.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { start } from '../harness/process.ts'
import { showRepository } from '../harness/repository.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { logged, SOCKFLUX } from '../harness/sockflux.ts'

t.jobs = 2

const skip = needs('root', 'bpf', 'nobody', 'netns')
const ALL = ['bpf', 'perfmon', 'net_admin', 'sys_ptrace', 'dac_read_search', 'sys_admin'] as const
/** What only the start has. */
const kept = (held: readonly Capability[]) => setOf(...held.filter(name => name !== 'sys_admin'))

/** A probe of user nobody, which has these; tracefs is mounted as systemd does it. */
async function probe(t: Test, held: readonly Capability[]) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const { behind, at } = await showRepository(cleanup)
  const nowhere = `ipc://${join(await scratch(cleanup, 'nowhere'), 'socket')}`
  const sets = ['-all', ...held.map(name => `+${name}`)].join()
  const user = [
    // tap's loader, which it adds to every child, writes into the repository
    ...['env', '-u', 'NODE_OPTIONS'],
    'setpriv',
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    `--inh-caps=${sets}`,
    `--ambient-caps=${sets}`,
  ]
  const tracefs = ['sh', '-c', 'mount -t tracefs none /sys/kernel/tracing && exec "$@"', 'sh']
  const words = ['probe', '--interval', '1', '--collector', nowhere]
  const child = start([...behind, ...tracefs, ...user, ...SOCKFLUX.map(at), ...words])
  cleanup.defer(() => child.close())
  return child
}

/** Messages of the log that say what is missing. */
const missing = (stderr: string) =>
  stderr
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level, msg }) => level === 40 && /lacks|unavailable/.test(msg))
    .map(({ msg }) => msg)

/** Without CAP_SYS_ADMIN, which stands in for the first three. */
const LACKS: readonly { without: readonly Capability[]; says: readonly RegExp[] }[] = [
  { without: [], says: [] },
  {
    without: ['sys_admin'],
    says: [
      /^user 65534 lacks CAP_SYS_ADMIN: .*: (run it as root, or|start it with) /,
      /no descriptor names.*need CAP_SYS_ADMIN/,
    ],
  },
  {
    without: ['net_admin', 'sys_admin'],
    says: [
      /lacks CAP_NET_ADMIN: UDP is not counted/,
      /^UDP conversations as their programs .* unavailable \(programs for cgroups need CAP_NET_ADMIN/,
      /^UDP conversations in packets unavailable .*: UDP is not counted$/,
    ],
  },
  { without: ['sys_ptrace'], says: [/lacks CAP_SYS_PTRACE: other users' network namespaces/] },
  {
    without: ['dac_read_search'],
    says: [
      /lacks CAP_DAC_READ_SEARCH: containers whose names/,
      /^the process that accepts a connection with io_uring as its owner unavailable \(tracefs/,
    ],
  },
]

for (const { without, says } of LACKS)
  t.test(
    `without ${without.join(' and ') || 'nothing'}: it runs, and says what is missing`,
    { skip },
    async t => {
      const held = ALL.filter(name => !without.includes(name))
      const child = await probe(t, held)
      await logged(child, /"msg":"started"/)
      const lines = missing(child.stderr)
      for (const pattern of says)
        t.ok(
          lines.some(line => pattern.test(line)),
          `${pattern} in ${lines.join('\n')}`,
        )
      if (says.length === 0) t.same(lines, [])
      const set = kept(held)
      for (const {
        name,
        sets: { bounding: _, ...sets },
        noNewPrivileges,
      } of threads(child.pid)) {
        t.same(sets, { inheritable: set, permitted: set, effective: set, ambient: set }, name)
        t.ok(noNewPrivileges)
      }
      t.same(await child.kill(), { code: 0, signal: null })
    },
  )

for (const name of ['bpf', 'perfmon'] as const)
  t.test(`without ${name} it ends with a sentence`, { skip }, async t => {
    const child = await probe(
      t,
      ALL.filter(other => other !== name && other !== 'sys_admin'),
    )
    t.same(await child.exited, { code: 1, signal: null })
    t.match(
      child.stderr,
      new RegExp(
        `^sockflux: user 65534 lacks CAP_${name.toUpperCase()} .*: (run it as root, or|start it with) [^\\n]*\\n$`,
      ),
    )
  })

t.test('CAP_SYS_ADMIN in place of another stays', { skip }, async t => {
  const held = ALL.filter(name => name !== 'net_admin')
  const child = await probe(t, held)
  await logged(child, /"msg":"started"/)
  t.same(missing(child.stderr), [])
  for (const { name, sets } of threads(child.pid)) t.equal(sets.effective, setOf(...held), name)
})

t.test('root keeps what it needs, and what opens the sockets of other users', { skip }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const nowhere = `ipc://${join(await scratch(cleanup, 'nowhere'), 'socket')}`
  const child = start([...SOCKFLUX, 'probe', '--interval', '1', '--collector', nowhere])
  cleanup.defer(() => child.close())
  await logged(child, /"msg":"started"/)
  const set = kept(ALL) | setOf('dac_override')
  for (const { name, sets, noNewPrivileges } of threads(child.pid)) {
    t.same(sets, { inheritable: 0n, permitted: set, effective: set, ambient: 0n, bounding: set }, name)
    t.ok(noNewPrivileges)
  }
})
