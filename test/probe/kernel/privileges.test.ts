import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { afterScan, namespaces, privileges } from '../../../probe/kernel/privileges.ts'
import { surroundingsOf } from '../../../probe/kernel/surroundings.ts'
import { EVERYTHING, status, world } from '../doctor/world.ts'

const BITS = { DAC_READ_SEARCH: 2n, NET_ADMIN: 12n, SYS_PTRACE: 19n, SYS_ADMIN: 21n, PERFMON: 38n, BPF: 39n }
const set = (...names: (keyof typeof BITS)[]) => names.reduce((bits, name) => bits | (1n << BITS[name]), 0n)

t.test('what is missing is named with what it is for, what is needed first', async t => {
  const of = async (user: number, capabilities: bigint) =>
    privileges(await world(t, { 'proc/self/status': status(user, capabilities) }))
  t.match(await of(0, EVERYTHING), [{ ok: true }])
  t.match(await of(0, set('BPF', 'PERFMON', 'NET_ADMIN', 'SYS_PTRACE', 'DAC_READ_SEARCH')), [
    { ok: 'warn', found: /^user 0 lacks CAP_SYS_ADMIN: sockets in other network namespaces/ },
  ])
  t.match(
    await of(0, set('SYS_ADMIN', 'SYS_PTRACE', 'DAC_READ_SEARCH')),
    [{ ok: true }],
    'the one before Linux 5.8',
  )
  t.match(await of(65534, 0n), [
    {
      ok: false,
      found: /^user 65534 lacks CAP_BPF \(without it .*\) and CAP_PERFMON \(without it .*\)$/,
      remedy: /`AmbientCapabilities=CAP_BPF CAP_PERFMON`$/,
    },
  ])
  t.match(await of(0, set('BPF', 'SYS_PTRACE')), [{ ok: false, found: /^user 0 lacks CAP_PERFMON \(/ }])
  const less = await of(998, set('BPF', 'PERFMON', 'NET_ADMIN'))
  t.same(
    less.map(({ ok, found }) => [ok, /lacks (\w+): ./.exec(found)?.[1]]),
    [
      ['warn', 'CAP_SYS_ADMIN'],
      ['warn', 'CAP_DAC_READ_SEARCH'],
      ['warn', 'CAP_SYS_PTRACE'],
    ],
    'a sentence for each',
  )
})

t.test('after the scan CAP_SYS_ADMIN stays only in place of another', async t => {
  const of = async (capabilities: bigint) =>
    afterScan(await world(t, { 'proc/self/status': status(998, capabilities) }))
  const all = set('BPF', 'PERFMON', 'NET_ADMIN', 'SYS_PTRACE')
  const kept = all | (1n << 1n) | (1n << 2n)
  t.equal(await of(EVERYTHING), kept)
  t.equal(await of(all), kept)
  for (const name of ['BPF', 'PERFMON', 'NET_ADMIN'] as const)
    t.equal(await of(EVERYTHING & ~set(name)), kept | set('SYS_ADMIN'), `in place of ${name}`)
  t.equal(await of(EVERYTHING & ~set('SYS_PTRACE')), kept, 'it is no SYS_PTRACE')
})

t.test('a namespace of its own keeps the host from it', async t => {
  const of = async (t: Test, own: Readonly<Record<string, number>>) => {
    const env = await world(t)
    const directory = join(env.root, 'proc/self/ns')
    await mkdir(directory, { recursive: true })
    const host = { user: 4026531837, pid: 4026531836, cgroup: 4026531835 }
    for (const [type, inode] of Object.entries({ ...host, ...own }))
      await symlink(`${type}:[${inode}]`, join(directory, type))
    return namespaces(env)
  }
  t.match(await of(t, {}), { ok: true })
  t.match(await of(t, { user: 4026532000 }), { ok: false, remedy: /not in a rootless container/ })
  t.match(await of(t, { pid: 4026532000, cgroup: 4026532001 }), {
    ok: 'warn',
    found: /PID namespace.*; .*cgroup namespace/,
    remedy: "run it in the host's PID namespace; run it in the host's cgroup namespace",
  })
  t.match(namespaces(await world(t)), { ok: true }, 'a kernel without them')
})

/** proc_pid_mountinfo(5): what kubelet, Docker, and nobody mounts. */
const WHERE = {
  kubernetes: '1 2 0:1 /var/lib/kubelet/pods/6f/etc-hosts /etc/hosts rw - ext4 /dev/vda rw\n',
  container: '1 2 0:1 /var/lib/docker/containers/6f/hosts /etc/hosts rw - ext4 /dev/vda rw\n',
  host: '1 2 0:1 / / rw - ext4 /dev/vda rw\n',
}

t.test('the remedy is the line to add in that place', async t => {
  const remedyIn = async (place: keyof typeof WHERE) =>
    privileges(
      await world(t, {
        'proc/self/mountinfo': WHERE[place],
        'proc/self/status': status(0, EVERYTHING & ~set('SYS_PTRACE')),
      }),
    )[0]?.remedy
  t.match(await remedyIn('kubernetes'), /securityContext `capabilities: \{add: \[SYS_PTRACE\]\}`$/)
  t.match(await remedyIn('container'), /`--cap-add SYS_PTRACE`$/)
  t.match(await remedyIn('host'), /`AmbientCapabilities=CAP_SYS_PTRACE`$/)
})

t.test('a host that runs containers is no container', async t => {
  const mounts = [
    '1 2 0:1 / /var/lib/docker/containers/6f/mounts/shm rw - tmpfs shm rw',
    '2 2 0:1 / /var/lib/kubelet/pods/6f/volumes/token rw - tmpfs tmpfs rw',
    '3 2 0:1 /var/lib/kubelet/pods/6f/x /var/lib/kubelet/pods/6f/volume-subpaths/x rw - ext4 /dev/vda rw',
  ]
  t.equal(surroundingsOf(await world(t, { 'proc/self/mountinfo': mounts.join('\n') })), 'host')
  const own = `1 2 0:1 /pods/${'0'.repeat(36)}/etc-hosts /etc/hosts rw - ext4 /dev/vdb rw\n`
  t.equal(surroundingsOf(await world(t, { 'proc/self/mountinfo': own })), 'kubernetes', 'a disk of its own')
})

t.test('a cgroup namespace is no matter when the root of cgroup2 is mounted', async t => {
  const of = async (root: string) => {
    const mount = `3 2 0:30 ${root} /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n`
    const env = await world(t, { 'proc/self/mountinfo': WHERE.kubernetes + mount })
    await mkdir(join(env.root, 'proc/self/ns'), { recursive: true })
    await symlink('cgroup:[4026532001]', join(env.root, 'proc/self/ns/cgroup'))
    return namespaces(env)
  }
  t.match(await of('/../../..'), { ok: true })
  t.match(await of('/kubepods/pod1'), { ok: 'warn', remedy: /mountPath: \/sys\/fs\/cgroup/ })
})
