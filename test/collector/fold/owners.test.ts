import fc from 'fast-check'
import t from 'tap'
import { Containers } from '../../../collector/fold/owners.ts'
import { Group } from '../../../wire/count/flow_sums.ts'

/** Numbers that fall together in a table, and large ones. */
const cgroup = fc.oneof(
  fc.nat(40),
  fc.nat(40).map(factor => factor * 2 ** 32),
  fc.nat(40).map(factor => factor * 64),
  fc.nat(2 ** 52),
)
const owner = fc.record({
  hierarchy: fc.nat(3),
  cgroup,
  netns: fc.integer({ min: 2 ** 32 - 3, max: 2 ** 32 - 1 }),
})

t.test(
  'a row belongs to the owner of its cgroup, else of its network namespace, else to the host',
  async t => {
    fc.assert(
      fc.property(fc.array(owner, { maxLength: 120 }), fc.array(owner, { maxLength: 60 }), (known, asked) => {
        const cgroups = Object.fromEntries(
          known.map(({ hierarchy, cgroup }) => [`${hierarchy}:${cgroup}`, `c${hierarchy}:${cgroup}`]),
        )
        const netns = { [2 ** 32 - 1]: 'n', 'no number': 'x' }
        const names = { cgroups: { ...cgroups, '7:x': 'x', ':': 'x' }, netns, containers: {}, pods: {} }
        const [groups, host] = [new Map<string, Group>(), new Group()]
        const container = (id: string) => {
          const group = groups.get(id) ?? new Group()
          groups.set(id, group)
          return group
        }
        const owners = new Containers(names, container, host)
        const view = new DataView(new ArrayBuffer(16))
        for (const row of [...known, ...asked, ...known]) {
          view.setBigUint64(0, BigInt(row.cgroup), true)
          view.setUint32(8, row.hierarchy, true)
          view.setUint32(12, row.netns, true)
          const group = owners.of(view, 0, { cgroup: 0, hierarchy: 8, netns: 12 })
          const id =
            cgroups[`${row.hierarchy}:${row.cgroup}`] ?? (row.netns === 2 ** 32 - 1 ? 'n' : undefined)
          t.equal(group, id === undefined ? host : groups.get(id))
        }
        t.equal(owners.refused, 0)
      }),
      { numRuns: 100 },
    )
  },
)

t.test('names with one hash are all found', async t => {
  const ids = Array.from({ length: 50_000 }, (_, index) => index * 2 ** 32)
  const cgroups = Object.fromEntries(ids.map(id => [`0:${id}`, String(id)]))
  const asked: string[] = []
  const one = new Group()
  const container = (id: string) => {
    asked.push(id)
    return one
  }
  const owners = new Containers({ cgroups, containers: {}, pods: {} }, container, new Group())
  const view = new DataView(new ArrayBuffer(16))
  view.setBigUint64(0, BigInt(ids.at(-1)!), true)
  t.equal(owners.of(view, 0, { cgroup: 0, hierarchy: 8, netns: 12 }), one)
  t.same(asked, [String(ids.at(-1))])
})
