import { chmod, copyFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { Processes } from '../../probe/identify/processes.ts'
import { loadBinary } from '../harness/binary.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { run, start } from '../harness/process.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, Watch } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }

/** Where another user can run it, too: the repository may be in a folder of root. */
async function publicCopy(t: Test, program: string): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'program')
  await chmod(directory, 0o755)
  const copy = join(directory, basename(program))
  await copyFile(program, copy)
  return copy
}

t.test(
  'a program of a shell loop is named with its path, parent and user after it is gone',
  real,
  async t => {
    const netns = await createNetns()
    t.teardown(() => netns.close())
    const server = start(inNetns(netns.path, [await loadBinary(), 'server', '127.0.0.1', '8000']))
    t.teardown(() => server.close())
    await server.line(/listening/)
    const seen = await Watch.start()
    t.teardown(() => seen.close())
    const load = await publicCopy(t, await loadBinary())
    const loop = `for i in 1 2 3 4 5; do setpriv --reuid 65534 "$0" client 'open 1 127.0.0.1 8000' </dev/null; done`
    await run(inNetns(netns.path, ['bash', '-c', loop, load]), 20_000)
    await seen.windowEnd()
    const processes = new Processes(seen.kernel.layout('process'))
    for (const records of seen.names.process) processes.learn(records)
    const clients = seen.in(netns.path).filter(({ role }) => role === CLIENT)
    const pids = new Set(clients.map(({ pid }) => pid))
    t.equal(pids.size, 5, 'five processes')
    for (const pid of pids) {
      const process = processes.find(pid)
      t.match(process, { comm: 'load', parent_comm: 'bash', uid: 65534 })
      t.ok(process?.exe.endsWith(`${basename(dirname(load))}/load`), 'the path ends as that of the program')
      t.ok(BigInt(process?.started_ns ?? 0) > 0n)
    }
  },
)

t.test('a process that runs another program is told again', real, async t => {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const seen = await Watch.start()
  t.teardown(() => seen.close())
  const load = await loadBinary()
  // bash connects (and is refused), then becomes another program under the same number
  const script = `exec 2>/dev/null; : < /dev/tcp/127.0.0.1/9; exec "$0" client 'open 1 127.0.0.1 9'`
  await run(inNetns(netns.path, ['bash', '-c', `(${script}) </dev/null; true`, load]), 20_000)
  await seen.windowEnd()
  const processes = new Processes(seen.kernel.layout('process'))
  for (const records of seen.names.process) processes.learn(records)
  const rows = seen.in(netns.path)
  t.same(new Set(rows.map(({ comm }) => comm)), new Set(['bash', 'load']))
  t.equal(new Set(rows.map(({ pid }) => pid)).size, 1, 'one process')
  t.match(processes.find(rows[0]!.pid), { comm: 'load' }, 'by what it runs now')
})

t.test('an interpreter that talks is called by its script', real, async t => {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const seen = await Watch.start()
  t.teardown(() => seen.close())
  const directory = t.testdir({})
  const connect =
    "net.connect(9, '127.0.0.1').on('error', () => console.log('ready')); process.stdin.resume()"
  await writeFile(join(directory, 'shop.cjs'), `const net = require('node:net'); ${connect}`)
  await writeFile(join(directory, 'worker.mjs'), `import net from 'node:net'; ${connect}`)
  await writeFile(
    join(directory, 'backup.sh'),
    '#!/bin/bash\n: < /dev/tcp/127.0.0.1/9\necho ready; read x\n',
    { mode: 0o755 },
  )
  const commands = {
    'shop.cjs': [process.execPath, join(directory, 'shop.cjs'), '--password', 'secret'],
    'worker.mjs': [process.execPath, '--no-warnings', join(directory, 'worker.mjs')],
    'backup.sh': [join(directory, 'backup.sh'), 'secret'],
  }
  const processes = new Processes(seen.kernel.layout('process'))
  const pids = new Map<string, number>()
  for (const [script, command] of Object.entries(commands)) {
    const child = start(inNetns(netns.path, command))
    t.teardown(() => child.close())
    await child.line(/^ready/)
    pids.set(script, child.pid)
  }
  await seen.windowEnd()
  for (const records of seen.names.process) processes.learn(records)
  for (const [script, pid] of pids) t.equal(processes.find(pid)?.name, script)
})
