import t from 'tap'
import { btf, clock, kernel, limits, lockdown } from '../../../probe/kernel/features.ts'
import { world } from '../doctor/world.ts'

t.test('types of the kernel are there, or a kernel that has them is asked for', async t => {
  t.match(btf(await world(t, { 'sys/kernel/btf/vmlinux': '' })), { ok: true })
  t.match(btf(await world(t)), { ok: false, found: /ENOENT/, remedy: /CONFIG_DEBUG_INFO_BTF/ })
  t.match(kernel(await world(t)), { ok: true, found: /6\.18\.0/ })
})

t.test('lockdown=confidentiality is too much', async t => {
  const found = async (text: string) => lockdown(await world(t, { 'sys/kernel/security/lockdown': text }))
  t.match(await found('[none] integrity confidentiality\n'), { ok: true, found: 'none' })
  t.match(await found('none [integrity] confidentiality\n'), { ok: true, found: 'integrity' })
  t.match(await found('none integrity [confidentiality]\n'), {
    ok: false,
    remedy: 'boot with lockdown=integrity',
  })
  t.match(lockdown(await world(t)), { ok: true, found: /not to be seen/ })
})

t.test('locked memory matters before Linux 5.11, open files always', async t => {
  const env = await world(t, {
    'proc/self/limits':
      'Limit                     Soft Limit           Hard Limit           Units     \n' +
      'Max open files            1024                 4096                 files     \n' +
      'Max locked memory         65536                65536                bytes     \n',
  })
  t.match(limits(env), { ok: true, found: '1024 open files, 65536 bytes of locked memory' })
  t.match(limits({ ...env, release: '5.10.0-28-amd64' }), { ok: 'warn', remedy: /LimitMEMLOCK/ })
  t.match(limits({ ...env, release: '4.18.0-553.el8' }), { ok: 'warn', remedy: /LimitMEMLOCK/ })
  const few = await world(t, { 'proc/self/limits': 'Max open files            64   64   files\n' })
  t.match(limits(few), { ok: 'warn', remedy: /LimitNOFILE/ })
})

t.test('a clock that was never set, and one that a time namespace shifts', async t => {
  const shifted = await world(t, {
    'proc/self/timens_offsets': 'monotonic           0         0\nboottime         1000         0\n',
  })
  const straight = await world(t, { 'proc/self/timens_offsets': 'boottime            0         0\n' })
  t.match(clock(shifted), { ok: false, found: /1000 s/ })
  t.match(clock(straight, new Date(0)), { ok: 'warn', remedy: /NTP/ })
  t.match(clock(straight, new Date('2030-01-01')), { ok: true, found: '2030-01-01T00:00:00.000Z' })
  t.match(clock(await world(t), new Date('2030-01-01')), { ok: true }, 'a kernel without time namespaces')
})
