/** The package on a Debian without compiler, npm and Node.js, under a real systemd, with an InfluxDB beside it. */

import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Test } from 'tap'
import { GIVEN, type Machine, openMachine } from '../../harness/debian/machine.ts'
import { debianPackage } from '../../harness/debian/package.ts'
import type { Suite } from '../../harness/debian/root.ts'
import { type Influx, startInflux } from '../../harness/influx.ts'
import { run, signal } from '../../harness/process.ts'
import type { SystemdBox } from '../../harness/systemd_box.ts'
import { until } from '../../harness/until.ts'

const UNITS = ['sockflux-collector', 'sockflux-probe'] as const
const PATIENCE_MS = 60_000
const LOAD = 'while :; do echo >/dev/udp/127.0.0.1/9; sleep 0.02; done'

/** What stays behind any package: notes of dpkg, logs, and the copies that useradd and its like keep. */
const OF_THE_SYSTEM =
  /^(var\/(log|cache|lib\/(dpkg|systemd))|run|tmp|var\/tmp|proc|sys|dev|mnt)(\/|$)|^etc\/(passwd|group|shadow|gshadow)-$|^etc\/\.pwd\.lock$/

/** All files and directories with their owners and modes, and what stands in the files of users. */
async function stateOf(root: string) {
  const found = await run(['find', root, '-xdev', '-printf', '%P\\t%y %m %U:%G %l\\n'])
  const names = found.split('\n').filter(line => !OF_THE_SYSTEM.test(line.split('\t')[0]!))
  const users = ['passwd', 'group', 'shadow', 'gshadow'].map(name =>
    readFileSync(join(root, 'etc', name), 'utf8'),
  )
  return { names: names.sort(), users }
}

const isActive = async (box: SystemdBox, unit: string) => (await box.show(unit, 'ActiveState')) === 'active'
const ready = (box: SystemdBox) =>
  until(
    'both units',
    async () => (await Promise.all(UNITS.map(unit => isActive(box, unit)))).every(Boolean),
    PATIENCE_MS,
  )

async function install({ box, given }: Machine, deb: string): Promise<void> {
  await copyFile(deb, join(given, basename(deb)))
  await box.run('env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', '--install', join(GIVEN, basename(deb)))
}

/** Ends of the windows in the embedded store, in seconds since 1970. */
async function windows(box: SystemdBox): Promise<number[]> {
  const sql = 'select epoch(time)::integer as at from "probe:stats" order by time'
  const rows = await box.run('sockflux', 'query', '--json', sql).catch(() => '[]')
  return (JSON.parse(rows) as { at: number }[]).map(({ at }) => at)
}

/** The same in InfluxDB. */
async function lines(influx: Influx): Promise<number[]> {
  const rows = await influx.query('select "queue" from "probe:stats"', 'sockflux')
  return rows.map(({ time }) => Number(time))
}

const stored = (there: () => Promise<number[]>, after: number, count: number) =>
  until(
    `${count} windows`,
    async () => {
      const all = await there()
      return all.filter(at => at > after).length >= count && all
    },
    PATIENCE_MS,
  )

/** When a unit last did that, in seconds since 1970. */
const when = async (box: SystemdBox, property: string): Promise<number> => {
  const text = await box.run(
    'systemctl',
    'show',
    '--timestamp=unix',
    `--property=${property}`,
    'sockflux-probe',
  )
  return Number(/@(\d+)/.exec(text)?.[1])
}

/** Installs over what runs; windows are missing only while there is no probe. */
async function replaced(t: Test, machine: Machine, influx: Influx, deb: string, version: string) {
  const { box } = machine
  const begin = Math.floor(Date.now() / 1000)
  await stored(() => windows(box), begin, 2)
  await install(machine, deb)
  await ready(box)
  t.equal((await box.run('sockflux', '--version')).trim(), version)
  const [from, to] = [await when(box, 'ActiveExitTimestamp'), await when(box, 'ActiveEnterTimestamp')]
  for (const [where, read] of [
    ['the embedded store', () => windows(box)],
    ['InfluxDB', () => lines(influx)],
  ] as const) {
    const all = await stored(read, to, 2)
    const there = all.filter(at => at > begin)
    const [first = 0, last = 0] = [there[0], there.at(-1)]
    const missing = Array.from({ length: last - first }, (_, n) => first + n).filter(
      at => !there.includes(at),
    )
    t.ok(first < from && to < last, `windows of before and after in ${where}`)
    // the one that it was in when it stopped, and the one that it was in when it was ready
    t.same(
      missing.filter(at => at < from || at > to + 2),
      [],
      `${where}: ${missing.length} windows are missing, ${to - from} s without a probe`,
    )
  }
}

/** What the services' users may put into their directories, when root looks there or starts a program by hand. */
async function misled(t: Test, box: SystemdBox): Promise<void> {
  const as = (user: string, script: string) =>
    box.run('setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', 'sh', '-c', script)
  const own = '/var/lib/sockflux-probe/spool/pipe'
  await as(
    'sockflux-probe',
    `mkdir -p ${own}/00000001-00000000 && cd ${own} && mkfifo ledger.json 00000001-00000000/00000001-0123456789abcdef.seg`,
  )
  await as('sockflux', 'cd /var/lib/sockflux/spool/collector && mkdir pipe && mkfifo pipe/target')
  t.match(await box.run('sockflux', 'spool'), /^probe +pipe /m, 'pipes do not stop sockflux spool')
  await box.run('rm', '-r', own, '/var/lib/sockflux/spool/collector/pipe')
  for (const program of [['collector'], ['probe', '--spool', '/var/lib/sockflux-probe/spool']])
    await t.rejects(
      box.run('sockflux', ...program),
      {
        message:
          /\/var\/lib\/sockflux.* belongs to user \d+, and root does not write in directories of others/,
      },
      `root starts the ${program[0]} by hand`,
    )
  await t.rejects(as('sockflux-probe', 'cat /etc/sockflux/collector.yaml'), 'it may hold a password')
  await as('sockflux', 'cat /etc/sockflux/collector.yaml')
}

/** On a machine that is open: what happens to a user in years. */
export async function lifeOf(t: Test, suite: Suite): Promise<void> {
  const machine = await openMachine(suite)
  t.teardown(() => machine.close())
  const { box } = machine
  const influx = await startInflux({ netns: machine.netns })
  t.teardown(() => influx.remove())
  const [older, newer] = [await debianPackage('0.1.0'), await debianPackage('0.1.1')]
  const before = await stateOf(box.root)
  for (const program of ['node', 'npm', 'gcc', 'make'])
    await t.rejects(box.run('sh', '-c', `command -v ${program}`), `no ${program}`)

  await box.write('usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n')
  await box.run('chmod', '755', '/usr/sbin/policy-rc.d')
  await install(machine, older)
  for (const unit of UNITS)
    t.equal(await box.show(unit, 'ActiveState'), 'inactive', `policy-rc.d forbids the start of ${unit}`)
  await box.run('rm', '/usr/sbin/policy-rc.d')
  await box.run('dpkg', '--remove', 'sockflux')

  await install(machine, older)
  await ready(box)
  t.equal((await box.run('sockflux', '--version')).trim(), '0.1.0')
  t.match(await box.run('systemctl', 'is-enabled', ...UNITS), /^enabled\nenabled\n$/)

  await box.write('etc/sockflux/probe.yaml', 'interval: 1\n')
  await box.write('etc/sockflux/collector.yaml', `sink: [influxdb, embedded]\ninflux_url: ${influx.url}\n`)
  await box.run('systemctl', 'restart', ...UNITS)
  await box.run('systemd-run', '--unit=load', 'bash', '-c', LOAD)
  await stored(() => windows(box), 0, 3)
  for (const unit of UNITS) {
    signal((await box.pidOf(unit))!, 'SIGKILL')
    await until(
      `${unit} after kill -9`,
      async () => Number(await box.show(unit, 'NRestarts')) === 1 && (await isActive(box, unit)),
      PATIENCE_MS,
    )
  }
  await stored(() => windows(box), Date.now() / 1000, 2)

  await box.run('systemctl', 'reload', ...UNITS)
  await t.test('users of the services lead root nowhere', t => misled(t, box))
  await t.test('to the newer version', t => replaced(t, machine, influx, newer, '0.1.1'))
  t.match(readFileSync(join(box.root, 'etc/sockflux/probe.yaml'), 'utf8'), 'interval: 1', 'settings stay')
  await t.test('back to the older one', t => replaced(t, machine, influx, older, '0.1.0'))

  await box.run('systemctl', 'stop', 'load')
  await box.run('dpkg', '--remove', 'sockflux')
  t.match(await box.run('sh', '-c', 'systemctl is-active sockflux-probe || true'), /inactive/)
  t.ok(readFileSync(join(box.root, 'etc/sockflux/probe.yaml')), 'settings stay until the purge')
  await box.run('dpkg', '--purge', 'sockflux')
  t.same(await stateOf(box.root), before, 'nothing is left')
}
