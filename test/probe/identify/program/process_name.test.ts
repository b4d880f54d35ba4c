/** What real processes of this machine are called. */

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startOf } from '../../../../probe/identify/process.ts'
import { nameOf } from '../../../../probe/identify/program/process_name.ts'
import { start } from '../../../harness/process.ts'

const process = (comm: string, exe: string, startedNs = 0n, parent = 1) => ({
  started_ns: String(startedNs),
  comm,
  exe,
  parent,
  parent_comm: 'init',
  uid: 0,
})

const TICK_NS = 10_000_000n

/** Starts a command that says `ready`, and names it as its record would have it. */
async function named(t: Test, command: readonly string[], comm: string, exe: string) {
  const child = start(command)
  t.teardown(() => child.close())
  await child.line(/^ready/)
  const startedNs = BigInt(startOf('/proc', child.pid)!) * TICK_NS + 7n
  return {
    pid: child.pid,
    name: nameOf(child.pid, process(comm, exe, startedNs), '/proc'),
    ofAnother: nameOf(child.pid, process(comm, exe, startedNs + 5n * TICK_NS), '/proc'),
  }
}

t.test('an interpreter is called by its script', async t => {
  const directory = t.testdir({})
  const js = join(directory, 'shop.mjs')
  writeFileSync(js, "console.log('ready'); process.stdin.resume()")
  const node = await named(t, [globalThis.process.execPath, js, '--token=x'], 'MainThread', '/usr/bin/node')
  t.equal(node.name, 'shop.mjs')
  t.equal(node.ofAnother, 'node', 'its number was given to another: of that nothing is known')
  const sh = join(directory, 'backup.sh')
  writeFileSync(sh, '#!/bin/bash -eu\necho ready; read x')
  chmodSync(sh, 0o755)
  t.equal((await named(t, [sh, 'secret'], 'backup.sh', '/usr/bin/bash')).name, 'backup.sh')
  t.equal((await named(t, ['bash', '-c', 'echo ready; read x'], 'bash', '/usr/bin/bash')).name, 'bash')
  const long = join(directory, `${'x'.repeat(40)}.mjs`)
  writeFileSync(long, "console.log('ready'); process.stdin.resume()")
  const args = Array.from({ length: 5000 }, () => 'y')
  const cut = await named(t, [globalThis.process.execPath, long, ...args], 'MainThread', '/usr/bin/node')
  t.equal(cut.name, `${'x'.repeat(40)}.mjs`, 'however many arguments it has')
})

t.test('a program by what it was started as, in full', async t => {
  const of = (comm: string, exe: string, parent?: number) =>
    nameOf(2 ** 22, process(comm, exe, 0n, parent), '/proc')
  t.equal(of('systemd-resolve', '/usr/lib/systemd/systemd-resolved'), 'systemd-resolved')
  t.equal(of('wget', '/bin/busybox'), 'wget')
  t.equal(of('mysqld', '/usr/sbin/mariadbd'), 'mysqld')
  t.equal(of('nginx', '…/sbin/nginx'), 'nginx')
  t.equal(of('GeckoMain', '/usr/lib/firefox/firefox'), 'firefox')
  t.equal(of('node-MainThread', '/usr/bin/node'), 'node')
  t.equal(of('python3', '/usr/bin/python3.11'), 'python3')
  t.equal(of('MainThread', ''), 'MainThread', 'nobody knows the program')
})

t.test('kernel threads are one', async t => {
  t.equal(nameOf(77, process('kworker/u8:3-rpciod', '', 0n, 2), '/proc'), '(kernel)')
  t.equal(nameOf(2, process('kthreadd', '', 0n, 0), '/proc'), '(kernel)')
  t.equal(
    nameOf(78, process('kworker/0:1', '/tmp/kworker', 0n, 2), '/proc'),
    'kworker/0:1',
    'who only looks so',
  )
})
