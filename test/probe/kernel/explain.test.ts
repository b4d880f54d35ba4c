import { BpfError } from 'bcc-bindings'
import t from 'tap'
import { explainLoad } from '../../../probe/kernel/explain.ts'
import { EVERYTHING, status, world } from '../doctor/world.ts'

const error = (code: string, log?: string, syscall = 'load') =>
  new BpfError('load x: no', code, 1, syscall, log)
const files = { 'proc/self/status': status(0, EVERYTHING), 'sys/kernel/btf/vmlinux': '' }

t.test('a cause that the doctor finds comes before what the error says', async t => {
  const nobody = await world(t, { ...files, 'proc/self/status': status(65534, 0n) })
  t.match(explainLoad(error('EPERM'), nobody), /^user 65534 lacks CAP_BPF .*: run it as root, or /)
  const old = await world(t, { 'proc/self/status': files['proc/self/status'] })
  t.match(
    explainLoad(error('ESRCH', 'failed to find valid kernel BTF'), old),
    /vmlinux: ENOENT.*: boot a kernel/,
  )
})

t.test('libbpf and the verifier say what a kernel lacks', async t => {
  const env = await world(t, files)
  t.equal(
    explainLoad(error('ESRCH', "prog 'a': failed to find kernel BTF type ID of 'cgroup_mkdir': -3"), env),
    'this kernel (6.18.0) has no cgroup_mkdir: a newer kernel has it',
  )
  t.match(
    explainLoad(error('EINVAL', '0: (85) call bpf_x#179\nunknown func bpf_x#179'), env),
    /call bpf_x#179: a newer/,
  )
  t.equal(
    explainLoad(
      error(
        'EINVAL',
        '3: <invalid CO-RE relocation>\nfailed to resolve CO-RE relocation <byte_off> [5] struct tcp_sock.total_rto (0:42 @ offset 0)',
      ),
      env,
    ),
    'this kernel (6.18.0) has no tcp_sock.total_rto: a newer kernel has it',
  )
  t.match(explainLoad(error('ENOMEM'), env), /lower --ring-size/)
  t.match(explainLoad(error('EPERM', undefined, 'attach'), env), /seccomp/)
})

t.test('what is not known is left to the error', async t => {
  const env = await world(t, files)
  t.equal(explainLoad(error('EACCES', 'R1 invalid mem access'), env), undefined)
  const refused = error(
    'EACCES',
    "libbpf: prog 'udp_send4': BPF program load failed: Permission denied\nR1 invalid",
  )
  t.equal(
    explainLoad(refused, { ...env, release: '6.1.0-56-cloud-amd64' }),
    'the verifier of this kernel (6.1.0-56-cloud-amd64) does not take the program udp_send4: Linux 6.3 does',
  )
  t.equal(explainLoad(refused, env), undefined, 'of a newer one it is to be reported')
  t.equal(explainLoad(error('EPERM', undefined, 'map_lookup'), env), undefined)
})
