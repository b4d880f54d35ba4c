/** Which directory is the root of cgroup2, on the real kernel, in mount namespaces of our own. */

import t from 'tap'
import { cgroupMounts, makeCgroup, removeCgroup } from '../harness/cgroup.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'

const real = { skip: needs('root', 'bpf') }

const SHOW = `const { cgroup2In, cgroups } = await import('./probe/kernel/cgroup.ts');
const { found, ok } = await cgroups({ root: '/' });
console.log(JSON.stringify({ path: cgroup2In({ root: '/' }), found, ok }))`

/** What is found after these commands, in a mount namespace where no cgroup2 is mounted, `$T` is a directory for mounts. */
async function after(script: string, namespaces = '') {
  const prepare = `mount --make-rprivate /; for m in $(awk '/ - cgroup2 /{print $5}' /proc/self/mountinfo); do umount -l "$m"; done
T=/mnt; mount -t tmpfs tmpfs $T; cd "$1"; ${script}; exec "$2" --input-type=module -e "$3"`
  const unshare = ['unshare', '--mount', ...namespaces.split(' ').filter(Boolean)]
  const command = ['sh', '-ec', prepare, 'sh', process.cwd(), process.execPath, SHOW]
  return JSON.parse(await run([...unshare, ...command])) as {
    path?: string
    found: string
    ok: boolean | 'warn'
  }
}

t.test('a path with a blank, a tab, a newline, a backslash', real, async t => {
  for (const name of ['cg two', 'cg\ttwo', 'cg\ntwo', 'cg\\two', 'cg\\040two']) {
    const { path, ok } = await after(`mkdir "$T/${name}"; mount -t cgroup2 cgroup2 "$T/${name}"`)
    t.same({ path, ok }, { path: `/mnt/${name}`, ok: true })
  }
})

t.test('one that another mount hides is passed over, and so is a group of it', real, async t => {
  const make = 'mkdir $T/a $T/b; mount -t cgroup2 cgroup2 $T/a'
  const hide = `${make}; mount -t tmpfs tmpfs $T/a`
  t.match(await after(hide), {
    found: /what is at \/mnt\/a is not the root.*mounts cgroup2 for itself/,
    ok: true,
  })
  t.equal((await after(hide)).path, undefined)
  t.equal((await after(`${hide}; mount -t cgroup2 cgroup2 $T/b`)).path, '/mnt/b')
  const own = `/sockflux-root-${process.pid}`
  await makeCgroup(own, [cgroupMounts().find(({ type }) => type === 'cgroup2')!.path])
  t.teardown(() => removeCgroup(own))
  const group = `${make}; mount --bind $T/a${own} $T/b`
  const only = `${group}; umount $T/a`
  const { path, found } = await after(only)
  t.equal(path, undefined)
  t.match(found, /what is at \/mnt\/b is not the root/)
  const first = `${group}; mkdir $T/c; umount $T/a; mount -t cgroup2 cgroup2 $T/c`
  t.equal((await after(first)).path, '/mnt/c')
})

t.test('in a cgroup namespace its root is a group', real, async t => {
  const enter = 'mkdir $T/a; mount -t cgroup2 cgroup2 $T/a'
  const { path, found, ok } = await after(enter, '--cgroup')
  // a process in the root group has the whole hierarchy in its namespace
  t.equal(path, ok === true ? '/mnt/a' : undefined)
  if (ok !== true) t.match(found, /in a cgroup namespace/)
})
