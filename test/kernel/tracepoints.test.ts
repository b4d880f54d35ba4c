/** Linux 5.15 to 6.0 warns in its log of a program at a tracepoint that has a hash without memory of its own. */

import t from 'tap'
import { objectsOf } from '../harness/bpf_objects.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { kernelWith } from '../harness/watch.ts'

const NO_PREALLOC = 1 // linux/bpf.h: BPF_F_NO_PREALLOC

interface Map {
  readonly id: number
  readonly name: string
  readonly type: string
  readonly flags: number
}
interface Program {
  readonly id: number
  readonly name: string
  readonly type: string
  readonly map_ids?: readonly number[]
}

const list = async <Listed>(kind: string): Promise<Listed[]> =>
  JSON.parse(await run(['bpftool', '--json', kind, 'list'])) as Listed[]

t.test('programs at tracepoints have none', { skip: needs('root', 'bpf', 'bpftool') }, async t => {
  const kernel = kernelWith({ without: ['use'] }, () => {})
  t.teardown(() => kernel.close())
  const own = objectsOf(process.pid)
  const programs = (await list<Program>('prog')).filter(
    ({ id, type }) => type === 'tracepoint' && own.has(`prog ${id}`),
  )
  t.same(
    programs.map(({ name }) => name.slice(0, 10)).sort(),
    ['tcp_accept', 'tcp_accept', 'tcp_ring_a'],
    'those of accept(2) and io_uring',
  )
  const maps = (await list<Map>('map')).filter(({ id }) => own.has(`map ${id}`))
  const grown = maps.filter(({ type, flags }) => type === 'hash' && flags & NO_PREALLOC)
  t.ok(grown.length > 0, 'there are such maps')
  t.same(
    programs.flatMap(({ name, map_ids: ids = [] }) =>
      grown.filter(({ id }) => ids.includes(id)).map(map => `${name} has ${map.name}`),
    ),
    [],
  )
})
