import t from 'tap'
import { cgroup2In, cgroups } from '../../../probe/kernel/cgroup.ts'
import { needs } from '../../harness/skip.ts'
import { world } from '../doctor/world.ts'

const V1 = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
`
const HYBRID = `${V1}41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n`
const UNIFIED = '28 23 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,memory_recursiveprot\n'
const of = (t: Parameters<typeof world>[0], mountinfo: string) =>
  world(t, { 'proc/self/mountinfo': `22 27 0:21 / /proc rw - proc proc rw\n${mountinfo}` })

t.test('the layout, and where cgroup2 is', async t => {
  const [unified, hybrid] = [await of(t, UNIFIED), await of(t, HYBRID)]
  t.match(await cgroups(unified), { ok: true, found: 'unified: cgroup2 at /sys/fs/cgroup' })
  t.match(await cgroups(hybrid), {
    ok: true,
    found: 'hybrid: cgroup2 at /sys/fs/cgroup/unified; v1 has cpu, cpuacct, name=systemd',
  })
  t.equal(cgroup2In(hybrid), '/sys/fs/cgroup/unified')
})

t.test('without a mount the probe makes one', { skip: needs('root', 'bpf') }, async t => {
  t.match(await cgroups(await of(t, V1)), {
    ok: true,
    found: /^legacy: v1 has cpu.*mounts cgroup2 for itself$/,
  })
  t.match(await cgroups(await of(t, '')), { ok: true, found: /^not mounted; the probe mounts/ })
})

const line = (root: string, path: string) => `50 23 0:38 ${root} ${path} rw - cgroup2 cgroup2 rw\n`

t.test(
  'the root of the hierarchy is taken, whatever its path is and whatever is mounted before it',
  async t => {
    for (const [mounts, path] of [
      [line('/', '/run/cg\\040two'), '/run/cg two'],
      [line('/', '/run/cg\\011two'), '/run/cg\ttwo'],
      [line('/', '/run/a\\134b\\012c'), '/run/a\\b\nc'],
      [line('/', '/run/\\134040'), '/run/\\040'],
      [line('/system.slice', '/srv/group') + line('/', '/srv/all'), '/srv/all'],
      [line('/system.slice', '/srv/group'), undefined],
      // above the root of a cgroup namespace; on a real one its inode says whether it is the top
      [line('/../..', '/sys/fs/cgroup'), '/sys/fs/cgroup'],
      [line('/../x', '/sys/fs/cgroup'), undefined],
    ] as const)
      t.equal(cgroup2In(await of(t, mounts)), path, mounts)
  },
)

t.test(
  'only a group is mounted: said, and the probe makes a mount',
  { skip: needs('root', 'bpf') },
  async t => {
    t.match(await cgroups(await of(t, line('/system.slice', '/srv/group'))), {
      ok: true,
      found: /^not mounted: what is at \/srv\/group is not the root of cgroup2; the probe mounts/,
    })
  },
)
