import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type BpfObject, open } from 'bcc-bindings'
import t from 'tap'
import { compile, unable, words } from './compile.ts'

const door = compile('door')
const light = compile('light')
const skip = unable(light)
const resident = join(import.meta.dirname, 'resident.ts')

async function live(path: string, use: (object: BpfObject) => Promise<unknown>): Promise<void> {
  const object = open(path)
  object.load()
  await use(object)
  object.close()
}

async function useLight(object: BpfObject): Promise<void> {
  const rings = object.rings(['records'], () => {})
  object.attach('on_exit')
  object.attach('on_exit').detach()
  await object.run('work', words(3))
  rings.drain()
  object.map('slots').view().writeUInt8(1)
  object.map('slots').entries()
}

/** Open descriptors and mappings of this process. */
async function held(): Promise<{ fds: number; maps: number }> {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate) // handles close and views go in the next turn
  return {
    fds: readdirSync('/proc/self/fd').length,
    maps: readFileSync('/proc/self/maps', 'utf8').match(/bpf/g)?.length ?? 0,
  }
}

t.test('five hundred lives of an object leave nothing in the process', { skip }, async t => {
  for (let i = 0; i < 50; i++) await live(light, useLight)
  const before = await held()
  const warm = process.memoryUsage().rss
  for (let i = 0; i < 500; i++) await live(light, useLight)
  t.same(await held(), before)
  t.ok(process.memoryUsage().rss - warm < 32 << 20, 'the memory does not keep growing')
})

t.test('tracing programs and iterators leave nothing either', { skip: unable(door) }, async t => {
  const use = async (object: BpfObject) => {
    object.attach('on_state')
    await object.iterate('tasks')
    await object.iterate('walk', { map: 'squares' })
  }
  await live(door, use)
  const before = await held()
  for (let i = 0; i < 10; i++) await live(door, use)
  t.same(await held(), before)
})

t.test('what failed leaves nothing', { skip }, async t => {
  const fail = () => {
    const object = open(light)
    t.throws(() => object.map('slots').view())
    object.load()
    t.throws(() => object.rings(['records', 'slots'], () => {}))
    t.throws(() => object.attach('work'))
    object.close()
    t.throws(() => open('/nowhere'))
  }
  fail()
  const before = await held()
  for (let i = 0; i < 20; i++) fail()
  t.same(await held(), before)
})

t.test('a worker thread that is terminated takes its rings and jobs along', { skip }, async t => {
  const before = await held()
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(resident, { workerData: { object: light, passes: 20_000 } })
    await once(worker, 'message')
    await worker.terminate()
  }
  t.same(await held(), before)
})

for (const ending of ['return', 'exit', 'throw'])
  t.test(`a process ends while a job is endless: by ${ending}`, { skip }, async t => {
    const child = spawn(process.execPath, [resident, light, ending], { stdio: ['ignore', 'ignore', 'pipe'] })
    t.teardown(() => child.kill('SIGKILL'))
    const [code, signal] = await once(child, 'exit')
    t.same([code, signal], [ending === 'throw' ? 1 : 0, null])
  })
