import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LiveSettings } from '../../../wire/settings/live.ts'
import { setting } from '../../../wire/settings/settings.ts'
import { list, text, whole } from '../../../wire/settings/types.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'

const settings = {
  queueSize: setting({ type: whole(1, 100), fallback: 5, value: '<n>', help: 'a' }),
  maxFlows: setting({ type: whole(1, 100), fallback: 6, value: '<n>', help: 'b' }),
  label: setting({ type: list(text()), fallback: [], value: '<key>', list: true, help: 'c' }),
}

async function live(t: Test, file: string, flags = {}, env = {}) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const path = join(await scratch(cleanup, 'live'), 'probe.yaml')
  const write = (text: string) => writeFileSync(path, text)
  write(file)
  const read = new LiveSettings(settings, 'probe', { config: path, ...flags }, env)
  const seen: unknown[] = []
  read.onChange({ queueSize: size => seen.push(size), label: labels => seen.push(labels) })
  return { path, write, read, seen }
}

t.test('what has changed is applied, or said to need a restart', async t => {
  const { write, read, seen } = await live(t, 'queue_size: 7\n')
  t.match(read.reload(), { changed: [], kept: [] }, 'nothing')
  write('queue_size: 8\nmax_flows: 9\nlabel: [app]\n')
  t.match(read.reload(), { changed: ['queue_size', 'label'], kept: ['max_flows'], warnings: [] })
  t.same(seen, [8, ['app']])
  t.match(read.values, { queueSize: 8, maxFlows: 6, label: ['app'] }, 'in force')
  t.match(read.reload(), { changed: [], kept: ['max_flows'] }, 'it still needs one')
  write('')
  t.match(read.reload(), { changed: ['queue_size', 'label'], kept: [] }, 'back to the defaults')
  t.same(seen.slice(2), [5, []])
})

t.test('a mistake keeps all, and is named with its place', async t => {
  const { path, write, read, seen } = await live(t, 'queue_size: 7\n')
  const before = read.values
  for (const [text, problem] of [
    ['queue_size: 8\nmax_flows: 0\n', /probe\.yaml:2:12: max_flows: needs a whole number/],
    ['queue_size: [\n', /probe\.yaml:\d+:\d+: /],
    ['queue_sice: 8\nlabl: x\n', /has no key queue_sice: did you mean queue_size\? \(and 1 more\)/],
    ['- 1\n', /must be a mapping/],
    ['\xff'.repeat(2 ** 20), /is larger than 1 MiB/],
  ] as const) {
    write(text)
    const { problem: found, changed, kept } = read.reload()
    t.match(found, problem)
    t.same([changed, kept], [[], []])
  }
  rmSync(path)
  t.match(read.reload().problem, /cannot read .*probe\.yaml \(ENOENT\)/)
  t.same(seen, [])
  t.equal(read.values, before)
})

t.test('flags and variables win again', async t => {
  const { write, read } = await live(t, '', { queueSize: '3' }, { SOCKFLUX_MAX_FLOWS: '4' })
  write('queue_size: 8\nmax_flows: 9\n')
  t.match(read.reload(), { changed: [], kept: [] })
  t.match(read.values, { queueSize: 3, maxFlows: 4 })
})
