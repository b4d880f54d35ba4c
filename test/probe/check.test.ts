import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { checkProbe, memory } from '../../probe/check.ts'
import { probeSettings } from '../../probe/options.ts'
import { inspectSettings } from '../../wire/settings/read.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { scratch } from '../harness/scratch.ts'

const inspect = (flags: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv = {}) =>
  inspectSettings(probeSettings, 'probe', flags, env, { check: checkProbe, root: '/nonexistent' })

t.test('without settings there is nothing to say', async t => {
  t.match(inspect({}), { problems: [], warnings: [] })
})

t.test('a collector that is named twice would count twice', async t => {
  for (const [first, second] of [
    ['tcp://a:1,plain', 'tcp://a:1,plain'],
    ['tcp://Collector:1,plain', 'tcp://collector:1,plain'],
    ['tcp://a.example:1,plain', 'tcp://a.example.:1,plain'],
    ['ipc:///run/x', 'ipc:///run/x'],
  ])
    t.same(inspect({ collector: [first, 'tcp://b:1,plain', second] }).problems, [
      `--collector: ${second} is there twice: leave one out`,
    ])
  t.match(inspect({}, { SOCKFLUX_COLLECTOR: 'tcp://a:1,plain,tcp://a:1,plain' }).problems, [
    /^SOCKFLUX_COLLECTOR: tcp/,
  ])
  t.same(inspect({ collector: ['tcp://a:1,plain', 'tcp://a:2,plain', 'tcp://b:1,plain'] }).problems, [])
})

t.test('tables that take more than half of the memory are refused with the figure', async t => {
  const { values } = inspect({ maxFlows: '16777216', maxUdpFlows: '1048576', ringSize: '1G' })
  const given =
    (...names: string[]) =>
    (name: string) =>
      names.includes(name) ? `--${name}` : undefined
  const GIB = 2 ** 30
  t.same(memory(values, given('maxFlows'), 8 * GIB), [
    {
      text: '--maxFlows: takes 4,736 MiB of kernel memory at the start, more than half of the 8,192 MiB available: give less',
    },
  ])
  t.same(memory(values, given('maxFlows'), 10 * GIB), [])
  t.match(memory(values, given('maxUdpFlows'), GIB / 2), [{ text: /^--maxUdpFlows: takes 312 MiB/ }])
  t.match(memory(values, given('maxFlows', 'maxUdpFlows', 'ringSize'), 10 * GIB), [
    { text: /^--maxFlows and --maxUdpFlows and --ringSize: takes 6,072 MiB/ },
  ])
  t.same(memory(values, given(), 1), [], 'defaults are tried on any host')
})

t.test('a socket or directory that was given and is not there', async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'check')
  const server = createServer().listen(join(directory, 's'))
  t.teardown(() => server.close())
  await once(server, 'listening')
  const told = (flags: Readonly<Record<string, unknown>>) => inspect(flags).warnings
  t.same(told({ criSocket: [join(directory, 's')], containerdState: [directory] }), [])
  t.same(told({ criSocket: ['/nonexistent/cri.sock'] }), [
    '--cri-socket: there is no socket /nonexistent/cri.sock: correct it, unless the runtime starts later',
  ])
  t.match(told({ dockerSocket: [directory] }), [`--docker-socket: ${directory} is no socket`])
  t.match(told({ podmanSocket: [`unix://${directory}/x`] }), [`there is no socket ${directory}/x`])
  t.match(told({ dockerRoot: ['/nonexistent'] }), ['--docker-root: there is no directory /nonexistent'])
  t.match(told({ containerdState: [join(directory, 's')] }), [/s is no directory/])
  t.same(told({ ociState: ['/run/user/*/nonexistent'] }), [], 'a pattern may stand for nothing yet')
})

t.test('a host in tags', async t => {
  for (const host of ['web1', 'web1.example', 'Rack 3', 'büro']) t.same(inspect({ host }).problems, [], host)
  for (const host of ['a,b', 'a"b', 'a\\', 'x'.repeat(254)])
    t.equal(inspect({ host }).problems.length, 1, host)
  t.match(inspect({ host: 'a,b' }).problems, [
    '--host: needs a host name without commas, quotes and backslashes, not "a,b"',
  ])
})
