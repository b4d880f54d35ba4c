/** Both units in a real systemd: who they are, what they tell it, what it restarts, and that they come back after a reboot. */

import { join } from 'node:path'
import t from 'tap'
import { setOf, threads } from '../harness/capabilities.ts'
import { signal } from '../harness/process.ts'
import { REPOSITORY } from '../harness/repository.ts'
import { needs } from '../harness/skip.ts'
import { INSTALLED, openSystemdBox } from '../harness/systemd_box.ts'
import { until } from '../harness/until.ts'

const skip = needs('root', 'bpf', 'nspawn', 'ss')
const [PROBE, COLLECTOR, BOTH] = ['sockflux-probe.service', 'sockflux-collector.service', 'sockflux.service']
const UNITS = [PROBE, COLLECTOR]
const PATIENCE_MS = 30_000
/** The unit as it is, but with less patience. */
const IMPATIENT = '[Service]\nWatchdogSec=5\nRestartSec=100ms\n'
/** Its sockets are older than the probe, and of another user. */
const OLDER = `[Service]
User=nobody
PrivateNetwork=yes
ExecStart=perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 7) or die; sleep'
`

/** A container of Docker, as the probe sees one: a cgroup, and a name in a directory of root. */
const ID = 'c0ffee'.padEnd(64, '0')
const STATE = JSON.stringify({ Name: '/web', Config: { Image: 'nginx:1' } })
const CONTAINER = `set -e
cgroup=$(sed -n 's/^[^ ]* \\([^ ]*\\) cgroup2 .*/\\1/p' /proc/mounts | head -n 1)/docker/${ID}
mkdir -p "$cgroup"
echo $$ >"$cgroup/cgroup.procs"
exec perl -MIO::Socket::INET -e '
  my $l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 4711) or die;
  my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 4711) or die;
  my $s = $l->accept;
  for (1 .. 40) { syswrite $c, "x"; sysread $s, my $x, 1; select undef, undef, undef, 0.1 }'`

if (skip) t.test('the units in a real systemd', { skip }, async () => {})
else {
  const file = (name: string) => join(REPOSITORY, 'deploy/systemd', name)
  const box = await openSystemdBox({
    units: [...UNITS, BOTH].map(file),
    sysusers: file('sysusers.conf'),
    tmpfiles: file('tmpfiles.conf'),
  })
  t.teardown(() => box.close())
  const restarts = async (unit: string) => Number(await box.show(unit, 'NRestarts'))
  const status = (unit: string) => box.show(unit, 'StatusText')
  const isActive = async (unit: string) => (await box.show(unit, 'ActiveState')) === 'active'
  const shown = (unit: string, pattern: RegExp) =>
    until(`a status of ${unit} like ${pattern}`, async () => pattern.test(await status(unit)), PATIENCE_MS)
  const query = async (sql: string) =>
    JSON.parse(await box.run(`${INSTALLED}/build/sockflux`, 'query', '--json', sql)) as Record<
      string,
      number
    >[]
  const said = async (unit: string, pattern: RegExp) =>
    (await box.journal(unit)).filter(({ message }) => pattern.test(message))
  const pids = () => Promise.all(UNITS.map(async unit => (await box.pidOf(unit))!))
  const listeners = async () =>
    (await box.run('ss', '-Hltunxp'))
      .split('\n')
      .filter(line => /users:/.test(line))
      .map(line => line.replace(/\s+/g, ' ').trim())
      .sort()

  await box.write('etc/systemd/system/older.service', OLDER)
  await box.write('etc/sockflux/probe.yaml', 'probe:\n  interval: 1\n')
  for (const unit of UNITS) await box.write(`etc/systemd/system/${unit}.d/test.conf`, IMPATIENT)
  await box.run('systemctl', 'daemon-reload')
  await box.run('systemctl', 'start', 'older.service')
  await box.run('systemctl', 'enable', '--quiet', '--now', ...UNITS, BOTH)

  t.test('both are ready as their users, with nothing more than they need', async t => {
    for (const unit of UNITS) t.equal(await box.show(unit, 'SubState'), 'running', unit)
    const [probe, collector] = await pids()
    const kept = setOf('bpf', 'perfmon', 'net_admin', 'sys_ptrace', 'dac_read_search')
    for (const { name, sets, noNewPrivileges } of threads(probe!)) {
      const { bounding: _, ...held } = sets
      t.same(held, { inheritable: kept, permitted: kept, effective: kept, ambient: kept }, name)
      t.ok(noNewPrivileges)
    }
    for (const { name, sets, noNewPrivileges } of threads(collector!)) {
      t.same(sets, { inheritable: 0n, permitted: 0n, effective: 0n, ambient: 0n, bounding: 0n }, name)
      t.ok(noNewPrivileges)
    }
    t.equal(
      (
        await box.run('stat', '-c', '%U %a', '/run/sockflux', '/var/lib/sockflux', '/var/lib/sockflux-probe')
      ).trim(),
      'sockflux 755\nsockflux 700\nsockflux-probe 700',
    )
    t.same(await said(PROBE, /unavailable|lacks/), [], 'the sandbox leaves all that it measures')
  })

  t.test('windows arrive, and both tell it', async t => {
    await shown(PROBE, /^window until \d\d:\d\d:\d\d UTC: [1-9]\d* rows; /)
    await shown(
      COLLECTOR,
      /^probes: 1; rows in 10 s: [1-9]\d*; series: [1-9]\d*; samples that wait for a sink: \d+$/,
    )
    const windows = async () =>
      (await query('select count(distinct time) as windows from "host:num_flows"'))[0]?.['windows'] ?? 0
    await until('three windows in the store', async () => (await windows()) >= 3, PATIENCE_MS)
    t.ok(await isActive(PROBE))
  })

  t.test('names in directories of root are read through the sandbox', async t => {
    await box.write(`var/lib/docker/containers/${ID}/config.v2.json`, STATE)
    await box.run('chmod', '700', '/var/lib/docker')
    await box.run('sh', '-c', CONTAINER)
    const [found] = await query(
      `select container_name, max(as_server) as flows from "container:num_flows" where container = '${ID.slice(0, 12)}' group by all`,
    )
    t.match(found, { container_name: 'web', flows: 1 })
  })

  t.test('the journal has sentences with priorities', async t => {
    const started = await said(PROBE, /^probe: started \(host=box /)
    t.match(started, [{ priority: 6 }])
    t.match(await said(PROBE, /^probe: in a PID namespace of its own/), [{ priority: 4 }])
  })

  t.test('a signal kills neither, and no listener appears', async t => {
    const before = { pids: await pids(), listeners: await listeners() }
    t.ok(before.listeners.length >= 2, 'the endpoint and the socket of the collector')
    for (const name of ['SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGALRM', 'SIGPIPE'] as const)
      for (const pid of before.pids) signal(pid, name)
    await until(
      'the settings read again',
      async () => (await said(COLLECTOR, /^collector: reloaded/)).length > 0,
    )
    t.same({ pids: await pids(), listeners: await listeners() }, before)
  })

  t.test('a reload takes what needs no restart, and a mistake changes nothing', async t => {
    const before = await pids()
    await box.write('etc/sockflux/probe.yaml', 'probe:\n  interval: 1\n  queue_size: 9M\n  max_flows: 2000\n')
    await box.run('systemctl', 'reload', BOTH)
    await until(
      'the reload',
      async () => (await said(PROBE, /reloaded \(changed=\["queue_size"\]\)/)).length > 0,
    )
    t.match(await said(PROBE, /only a restart changes max_flows/), [{ priority: 4 }])
    await box.write('etc/sockflux/probe.yaml', 'probe:\n  interval: 1\n  queue_size: much\n')
    await box.run('systemctl', 'reload', PROBE)
    await until(
      'the mistake',
      async () => (await said(PROBE, /probe\.yaml:3:15: probe\.queue_size: needs/)).length > 0,
    )
    t.match(await said(PROBE, /those from before stay in force/), [{ priority: 3 }])
    await box.write('etc/sockflux/probe.yaml', 'probe:\n  interval: 1\n')
    t.same(await pids(), before)
    for (const unit of UNITS) await until(`${unit} active`, () => isActive(unit))
  })

  for (const [name, why] of [
    ['SIGKILL', 'killed'],
    ['SIGSTOP', 'silent'],
  ] as const)
    t.test(`who is ${why} is started again`, async t => {
      const before = await Promise.all(UNITS.map(restarts))
      const killed = await pids()
      for (const pid of killed) signal(pid, name)
      for (const [index, unit] of UNITS.entries()) {
        await until(`another ${unit}`, async () => (await restarts(unit)) > before[index]!, PATIENCE_MS)
        await until(`${unit} active`, () => isActive(unit), PATIENCE_MS)
      }
      await shown(PROBE, /^window until/)
      t.same(
        (await pids()).filter(pid => killed.includes(pid)),
        [],
      )
    })

  t.test('both come back after a reboot, and the samples are there', async t => {
    const count = async () =>
      (await query('select count(*) as samples from "host:num_flows"'))[0]?.['samples'] ?? 0
    const before = await count()
    await box.reboot()
    for (const unit of UNITS) await until(`${unit} active`, () => isActive(unit), PATIENCE_MS)
    await shown(PROBE, /^window until/)
    await until('more samples', async () => (await count()) > before, PATIENCE_MS)
    t.ok(before > 0)
  })

  t.test('one stop stops both, after they have flushed', async t => {
    await box.run('systemctl', 'stop', BOTH)
    for (const unit of UNITS) {
      await until(`the end of ${unit}`, async () => (await box.show(unit, 'SubState')) === 'dead')
      t.equal(await box.show(unit, 'Result'), 'success')
      t.match((await said(unit, /: stopped/)).at(-1), { priority: 6 })
    }
  })
}
