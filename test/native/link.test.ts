import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { type BpfObject, mountCgroup2 } from 'bcc-bindings'
import t, { type Test } from 'tap'
import { compile, opened, unable } from './compile.ts'

const door = compile('door')
const skip = unable(door)

const SYN_SENT = 2
const ESTABLISHED = 1
const CLOSE = 7

async function listening(t: Test): Promise<number> {
  const server = createServer(socket => socket.end()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function converse(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').resume()
  await once(socket, 'close')
}

function counts(object: BpfObject): { egress: number; sockops: number } {
  const bss = object.map('.bss').view()
  return { egress: Number(bss.readBigUInt64LE(0)), sockops: Number(bss.readBigUInt64LE(8)) }
}

t.test(
  'a BTF tracepoint tells the life of five connections, with the globals it was given',
  { skip },
  async t => {
    const port = await listening(t)
    const object = opened(t, door)
    object.setGlobal('port', port)
    object.setGlobal('small', -3)
    object.setGlobal('yes', true)
    object.setGlobal('wide', 2n ** 63n)
    object.load()
    const { size } = object.layout('change')
    const records: Buffer[] = []
    const rings = object.rings(['changes'], (_, batch) => {
      for (let at = 0; at < batch.length; at += size) records.push(Buffer.from(batch.subarray(at, at + size)))
    })
    const link = object.attach('on_state')
    for (let i = 0; i < 5; i++) await converse(port)
    rings.drain()

    const changes = records.map(record => [record.readUInt32LE(20), record.readInt32LE(24)])
    const count = (from: number, to: number) => changes.filter(([f, t]) => f === from && t === to).length
    t.equal(count(CLOSE, SYN_SENT), 5)
    t.equal(count(SYN_SENT, ESTABLISHED), 5)
    t.equal(records[0]?.readInt8(70), -3)
    t.equal(records[0]?.readUInt8(71), 1)
    t.equal(records[0]?.readBigInt64LE(8), -(2n ** 63n))

    link.detach()
    rings.drain()
    records.length = 0
    await converse(port)
    t.equal(rings.drain() + records.length, 0, 'nothing after detach()')
  },
)

t.test('a classic tracepoint attaches with tracefs mounted or not', { skip }, async t => {
  const port = await listening(t)
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  const object = opened(t, compile('classic'))
  object.setGlobal('process', process.pid)
  object.load()
  const accepted = () => Number(object.map('.bss').view().readBigUInt64LE(0))
  const link = object.attach('on_accept')
  for (let i = 0; i < 3; i++) await converse(port)
  const seen = accepted()
  t.ok(seen >= 3, `${seen} calls of accept4() by this process`)
  link.detach()
  await converse(port)
  t.equal(accepted(), seen, 'nothing after detach()')
  t.equal(readFileSync('/proc/self/mountinfo', 'utf8'), mounts, 'no mount is left')
})

t.test('programs on a cgroup see the packets and sockets of that cgroup alone', { skip }, async t => {
  const fd = mountCgroup2()
  const cgroup = join(`/proc/${process.pid}/fd/${fd}`, `bcc-bindings-${process.pid}`)
  mkdirSync(cgroup)
  t.teardown(() => {
    rmdirSync(cgroup)
    closeSync(fd)
  })
  const object = opened(t, door)
  object.load()
  object.attach('egress', { cgroup })
  object.attach('socket_ops', { cgroup })
  const inside = (command: string) =>
    execFileSync('bash', ['-c', `echo $$ > "$0/cgroup.procs"; ${command}`, cgroup], { stdio: 'pipe' })

  execFileSync('bash', ['-c', 'echo x > /dev/udp/127.0.0.1/9'])
  t.same(counts(object), { egress: 0, sockops: 0 })
  inside('echo x > /dev/udp/127.0.0.1/9')
  t.same(counts(object), { egress: 1, sockops: 0 })
  const own = object.map('by_cgroup').entries()
  t.equal(own.count, 1, 'a map type without batches is read entry by entry')
  t.equal(own.values.readBigUInt64LE(0), 1n)

  const server = createServer(socket => socket.end()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  inside(`exec 3<> /dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port}`)
  t.ok(counts(object).sockops > 0)
})

t.test(
  'a detached cgroup2 mount attaches programs by descriptor and leaves nothing behind',
  { skip },
  async t => {
    const fd = mountCgroup2()
    t.teardown(() => closeSync(fd))
    const object = opened(t, door)
    object.load()
    object.attach('egress', { cgroup: fd })
    execFileSync('bash', ['-c', 'echo x > /dev/udp/127.0.0.1/9'])
    t.ok(counts(object).egress > 0)
  },
)

t.test('a program that needs a target says so', { skip }, async t => {
  const object = opened(t, door)
  object.load()
  t.throws(() => object.attach('egress'), { code: 'EINVAL', message: /'egress' attaches to a cgroup/ })
  t.throws(() => object.attach('egress', { cgroup: '/nowhere' }), { code: 'ENOENT', syscall: 'open' })
  t.throws(() => object.attach('walk'), { code: 'EBADF', syscall: 'attach' })
  t.throws(() => object.attach('work'), { code: 'EOPNOTSUPP', syscall: 'attach' })
})
