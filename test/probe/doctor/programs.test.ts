import { open } from 'bcc-bindings'
import t from 'tap'
import { programs } from '../../../probe/doctor/programs.ts'
import { objectPath } from '../../../probe/kernel/load.ts'
import { SIGNALS } from '../../../probe/signals/index.ts'
import type { Signal } from '../../../probe/signals/signal.ts'
import { needs } from '../../harness/skip.ts'
import { compile } from '../../native/compile.ts'
import { world } from './world.ts'

const real = { skip: needs('root', 'bpf') }
const host = { root: '/', release: '6.18.0' }

/** A signal that the probe cannot do without. */
const signal = (programs: Signal['programs']): Signal => ({
  name: 'test',
  programs,
  gives: 'what is tried',
  records: [],
})

t.test('each program of the object belongs to one signal, and each of these is there', async t => {
  const object = open(objectPath())
  t.teardown(() => object.close())
  t.same(
    SIGNALS.flatMap(({ programs }) => Object.keys(programs)).sort(),
    object.programs.map(({ name }) => name).sort(),
  )
})

t.test("the probe's programs load and attach, each on its own", real, async t => {
  const findings = await programs({ ...(await world(t)), ...host, object: async () => objectPath() })
  t.ok(findings.length >= 4)
  t.same(
    findings.filter(({ ok }) => ok !== true),
    [],
  )
})

t.test('one that is refused does not take the others along', real, async t => {
  const of = async (name: string, tried: Signal) =>
    programs({ ...(await world(t)), ...host, object: async () => compile(name) }, [tried])
  const door = signal({ on_state: 'event', egress: 'cgroup', socket_ops: 'cgroup' })
  t.match(await of('door', door), [{ ok: true }, { ok: true }, { ok: true }], 'cgroup programs, on the root')
  t.match(await of('refused', signal({ careless: 'report', careful: 'report' })), [
    { name: 'careless', ok: false, found: /EACCES|EINVAL|Invalid|denied/, remedy: /report it/ },
    { name: 'careful', ok: true },
  ])
})

t.test('what needs one that is refused is not tried, and what stands in for it is', real, async t => {
  const refused = signal({ careless: 'report' })
  const needy = { ...signal({ careful: 'report' }), needs: refused, gives: 'with it' }
  const either = { ...needy, needs: undefined, needsOneOf: [refused, needy], gives: 'with one of them' }
  const substitute = { ...signal({ careful: 'report' }), insteadOf: needy, gives: 'instead of it' }
  const last = { ...signal({ careful: 'report' }), needsOneOf: [needy, substitute], gives: 'with the other' }
  const tried = [refused, needy, either, substitute, last] as Signal[]
  const env = { ...(await world(t)), ...host, object: async () => compile('refused') }
  t.match(await programs(env, tried), [
    { name: 'careless', ok: false },
    { name: 'careful', ok: true, found: 'instead of it' },
    { name: 'careful', ok: true, found: 'with the other' },
  ])
})

t.test('without the object there is one finding', async t => {
  const object = async () => '/nonexistent.o'
  t.match(await programs({ ...(await world(t)), object }), [
    { ok: false, found: /nonexistent/, remedy: 'make build' },
  ])
})
