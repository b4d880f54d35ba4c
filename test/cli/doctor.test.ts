import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { Router } from 'zeromq'
import type { Finding } from '../../probe/kernel/finding.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { showRepository } from '../harness/repository.ts'
import { needs } from '../harness/skip.ts'
import { world } from '../probe/doctor/world.ts'

// they wait more than they work
t.jobs = 3

const real = { skip: needs('root', 'bpf', 'nobody') }
const COMMAND = join(import.meta.dirname, '../../cli/sockflux.ts')
const cleanup = new Cleanup()
t.teardown(() => cleanup.close())
const { behind: shown, at } = await showRepository(cleanup)

/** Runs the command behind another that takes something away from it; without tap's hook, which writes files. */
async function sockflux(
  words: readonly string[],
  behind: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
) {
  const program = [process.execPath, COMMAND].map(path => (behind === NOBODY ? at(path) : path))
  const [file = '', ...args] = [...behind, 'env', 'NODE_OPTIONS=', ...program, ...words]
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { stdout, stderr, code }
}

async function doctor(behind: readonly string[], env?: NodeJS.ProcessEnv) {
  const { stdout, stderr, code } = await sockflux(['doctor', '--json'], behind, env)
  if (!stdout) throw new Error(stderr)
  const findings = JSON.parse(stdout) as Finding[]
  return { code, of: (name: string) => findings.find(finding => finding.name === name)! }
}

const mounts = (command: string) => ['unshare', '--mount', 'sh', '-c', `${command} && exec "$@"`, 'sh']
const without = (...capabilities: string[]) => [
  'setpriv',
  '--inh-caps=-all',
  `--bounding-set=${capabilities.map(name => `-${name}`).join()}`,
]
const NOBODY = [...shown, ...without('all'), '--reuid=65534', '--regid=65534', '--clear-groups']

/** What the kernel or the privileges do not allow, taken away for real. */
const LACKS = [
  { what: 'user nobody', behind: NOBODY, finds: 'privileges', ok: false },
  { what: 'no CAP_BPF', behind: without('bpf', 'sys_admin'), finds: 'privileges', ok: false },
  { what: 'no CAP_PERFMON', behind: without('perfmon', 'sys_admin'), finds: 'privileges', ok: false },
  { what: 'no BTF', behind: mounts('mount -t tmpfs none /sys'), finds: 'btf', ok: false },
  {
    what: 'a user namespace',
    behind: ['unshare', '--user', '--map-root-user'],
    finds: 'namespaces',
    ok: false,
  },
] as const

for (const { what, behind, finds, ok } of LACKS)
  t.test(`${what}: the doctor finds it, and the probe ends with its sentence`, real, async t => {
    const { code, of } = await doctor(behind)
    const { found, remedy } = of(finds)
    t.equal(of(finds).ok, ok)
    t.equal(of('tcp_flow_state').ok, false)
    t.equal(code, 1)
    const probe = await sockflux(['probe'], behind)
    t.same(probe, { stdout: '', stderr: `sockflux: ${found}: ${remedy}\n`, code: 1 })
  })

t.test('with less the probe runs', real, async t => {
  const pid = await doctor(['unshare', '--pid', '--fork', '--mount-proc'])
  t.match(pid.of('namespaces'), { ok: 'warn', remedy: /hostPID|--pid=host|PID namespace/ })
  t.equal(pid.of('tcp_flow_scan').ok, true)
  t.equal(pid.code, 2)
  const groups = [...mounts('umount -R -l /sys/fs/cgroup'), ...without('sys_admin')]
  t.match((await doctor(groups)).of('cgroups'), {
    ok: 'warn',
    remedy: /mount -t cgroup2|-v \/sys\/fs\/cgroup/,
  })
})

t.test('the layouts of cgroups are told apart', { skip: needs('root', 'bpf', 'hybrid') }, async t => {
  t.match((await doctor([])).of('cgroups'), { ok: true, found: /^hybrid/ })
  const unified = mounts('umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup')
  t.match((await doctor(unified)).of('cgroups'), { ok: true, found: 'unified: cgroup2 at /sys/fs/cgroup' })
  const path = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1]
  const legacy = await doctor(mounts(`umount ${path}`))
  t.match(legacy.of('cgroups'), { ok: true, found: /^legacy.*for itself$/ })
})

t.test('wrong settings are a finding among the others', real, async t => {
  const { root } = await world(t)
  const file = join(root, 'sockflux.yaml')
  await writeFile(file, 'probe:\n  interval: 0\ncollector:\n  profile: ntopng\n')
  const { code, of } = await doctor([], { SOCKFLUX_CONFIG: file })
  t.match(of('settings'), { ok: false, found: /sockflux\.yaml:2:\d+: probe\.interval/ })
  t.equal(of('tcp_flow_state').ok, true)
  t.equal(code, 1)
})

t.test('on the screen it is read from top to bottom', real, async t => {
  const router = new Router({ linger: 0 })
  t.teardown(() => router.close())
  await router.bind('tcp://127.0.0.1:*')
  const endpoint = router.lastEndpoint!
  const { stdout } = await sockflux(['doctor', '--collector', `${endpoint},plain`])
  const lines = stdout.split('\n')
  t.match(lines[0], /^ok +kernel +Linux /)
  t.ok(lines.some(line => new RegExp(`^ok +collector +${endpoint} answers$`).test(line)))
  t.ok(lines.length <= 24, 'on one screen')
})
