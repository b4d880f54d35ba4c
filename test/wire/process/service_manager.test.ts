import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { ServiceManager } from '../../../wire/process/service_manager.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { openDatagrams } from '../../harness/datagram_socket.ts'
import { scratch } from '../../harness/scratch.ts'

const cleanup = new Cleanup()
t.teardown(() => cleanup.close())
const NOTIFY_SOCKET = join(await scratch(cleanup, 'notify'), 'socket')
const systemd = await openDatagrams(cleanup, NOTIFY_SOCKET)
const lines: string[] = []
const log = pino({}, { write: line => lines.push(JSON.parse(line).msg) })
const datagrams = () => import('bcc-bindings')
const open = (env: NodeJS.ProcessEnv = {}) => ServiceManager.open(log, datagrams, { NOTIFY_SOCKET, ...env })

t.test('states are told in the words of sd_notify(3)', async t => {
  const manager = await open()
  manager.ready('all is well\nREADY=0')
  t.equal(await systemd.line(), 'READY=1␤STATUS=all is well READY=0', 'a status is one line')
  manager.reloading()
  const [, usec] = /^RELOADING=1␤MONOTONIC_USEC=(\d+)$/.exec(await systemd.line()) ?? []
  t.ok(Number(usec) > 0)
  manager.status('5 rows')
  t.equal(await systemd.line(), 'STATUS=5 rows')
  manager.stopping()
  t.match(await systemd.line(), /^STOPPING=1␤STATUS=./)
})

t.test('alive is who has no fault', async t => {
  const manager = await open({ WATCHDOG_USEC: '90000', WATCHDOG_PID: String(process.pid) })
  let fault: string | undefined
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  manager.watch(() => fault)
  for (let i = 0; i < 3; i++) t.equal(await systemd.line(), 'WATCHDOG=1')
  fault = 'no window has ended for 40 s'
  await new Promise(resolve => setTimeout(resolve, 300))
  manager.status('last')
  const told = [await systemd.line(/^STATUS=last|^WATCHDOG/)]
  while (told.at(-1) !== 'STATUS=last') told.push(await systemd.line(/^STATUS=last|^WATCHDOG/))
  t.ok(told.length <= 2, 'at most one was on its way')
  t.same(
    lines,
    ['no window has ended for 40 s; systemd restarts this program unless it goes on'],
    'once a minute',
  )
})

t.test('who is not meant says nothing of being alive, and without systemd nothing is said', async t => {
  const other = await open({ WATCHDOG_USEC: '30000', WATCHDOG_PID: '1' })
  other.watch(() => undefined)
  const none = await ServiceManager.open(log, datagrams, { WATCHDOG_USEC: '30000' })
  none.watch(() => undefined)
  none.ready('nobody listens')
  await new Promise(resolve => setTimeout(resolve, 200))
  other.status('next')
  t.equal(await systemd.line(/^STATUS=next|READY/), 'STATUS=next')
})

t.test('while systemd has no room, the newest states wait', async t => {
  const manager = await open()
  process.kill(systemd.pid, 'SIGSTOP')
  for (let i = 0; i < 2000; i++) manager.status(String(i))
  process.kill(systemd.pid, 'SIGCONT')
  t.equal(await systemd.line(/=1999$/), 'STATUS=1999')
})

t.test('a socket that nobody reads any more is said once a minute', async t => {
  lines.length = 0
  const manager = await ServiceManager.open(log, datagrams, { NOTIFY_SOCKET: '@nobody of the tests' })
  for (let i = 0; i < 5; i++) manager.status('x')
  t.match(lines, [/^systemd cannot be notified \(ECONNREFUSED\)/])
  t.equal(lines.length, 1)
})
