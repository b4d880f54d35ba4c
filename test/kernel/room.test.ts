/** Room for flows is made as it is needed: nothing is lost meanwhile, and what is beyond the limit is counted. */

import t, { type Test } from 'tap'
import type { Kernel } from '../../probe/kernel/kernel.ts'
import { mapsMemory } from '../bench/maps.ts'
import { Sockets } from '../bench/sockets.ts'
import { type Stage, stage } from '../bench/stage.ts'
import { start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { until } from '../harness/until.ts'
import { flowsIn, startKernel } from './room_kernel.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }

async function startStage(t: Test): Promise<Stage> {
  const place = await stage()
  t.teardown(() => place.close())
  return place
}

const flowsOf = (kernel: Kernel, { clients, servers }: Stage) => flowsIn(kernel, 'tcp_flow', clients, servers)

t.test('a host with few sockets pays for few', real, async t => {
  const { kernel } = await startKernel(t, { ringBytes: 4 * 2 ** 20 })
  await new Promise(resolve => setTimeout(resolve, 300))
  t.ok(mapsMemory(process.pid) <= 24, `${mapsMemory(process.pid).toFixed(1)} MB`)
  t.same(kernel.lost(), {})
})

t.test('40,000 and 120,000 sockets at once, and a scan that finds them', real, async t => {
  const place = await startStage(t)
  const { kernel, warnings } = await startKernel(t)
  const sockets = new Sockets(place)
  for (const count of [40_000, 120_000]) {
    await sockets.grow(count)
    t.equal(await flowsOf(kernel, place), count)
    t.same(kernel.lost(), {}, 'and none was without room')
  }
  const { kernel: later } = await startKernel(t)
  t.equal(await flowsOf(later, place), 120_000, 'found at the start')
  t.same(later.lost(), {})
  t.same(warnings, [])
})

t.test('beyond the limit connections are counted, and those that are closed make room', real, async t => {
  const place = await startStage(t)
  const { kernel } = await startKernel(t, { maxFlows: 10_000 })
  await new Sockets(place).grow(12_000)
  const followed = await flowsOf(kernel, place)
  const { 'kernel/slot': lost, ...others } = kernel.lost()
  t.equal(followed + lost!, 12_000, `${followed} followed`)
  t.ok(followed <= 10_000 && followed > 9_000, 'other sockets of this machine have slots, too')
  t.same(others, {})
  const { kernel: later } = await startKernel(t, { maxFlows: 10_000 })
  const seen = (await flowsOf(later, place)) + later.lost()['kernel/slot']!
  t.ok(
    seen >= 12_000 && seen < 12_500,
    `the scan ends all the same, with ${seen}, other sockets of this machine among them`,
  )
})

t.test('when the kernel refuses more room', real, async t => {
  const place = await startStage(t)
  const { kernel, warnings } = await startKernel(t)
  const sockets = new Sockets(place)
  await sockets.grow(6000)
  await until('more chunks', async () => (await flowsOf(kernel, place)) === 6000)
  // no descriptor is left for a map; another process sets the limit, as this one could start none
  const limits = start([
    'sh',
    '-c',
    `while read files; do prlimit --pid ${process.pid} --nofile="$files": && echo set; done`,
  ])
  t.teardown(() => limits.close())
  const setLimit = async (files: number) => {
    limits.write(String(files))
    await limits.line(/set/)
  }
  const client = await place.client()
  await place.server(9000)
  await setLimit(10)
  try {
    t.match(await client.ask('open 6000 10.9.0.1 9000', 60_000), { opened: 6000 })
    await until('the end of its patience', async () => warnings.length > 0)
  } finally {
    await setLimit(20_000)
  }
  t.match(warnings, [/refuses more than \d+ entries of tcp_slot \(EMFILE\); .+ tried again/])
  const { 'kernel/slot': lost, 'kernel/growth': failed } = kernel.lost()
  const followed = await flowsOf(kernel, place)
  t.equal(followed + lost!, 18_000, `${followed} followed, each of the others is counted`)
  t.ok(failed! >= 1)
})
