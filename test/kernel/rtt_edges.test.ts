import { bootTime } from 'bcc-bindings'
import t from 'tap'
import { RttSums } from '../../probe/read/rtt_sums.ts'
import type { RttBucket, TcpTotal } from '../../wire/records.ts'
import { startActor } from '../harness/actor.ts'
import { removeCgroup } from '../harness/cgroup.ts'
import { createNetns } from '../harness/netns.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, kernelWith, SERVER, type SumRow, tcpOf } from '../harness/watch.ts'
import {
  decoded,
  RETRANS_CB_FLAG,
  RTT_CB,
  RTT_CB_FLAG,
  readCallbacks,
  STATE_CB,
  STATE_CB_FLAG,
} from './bpf/callback.ts'
import {
  ASKS,
  callbacks,
  distribution,
  ended,
  openEach,
  ROLES,
  settled,
  stage,
  sum,
  watch,
} from './rtt_pair.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss') }

t.test('what is sampled at the end of a window has its range in the window that counts it', real, async t => {
  const pair = await stage(t, 1)
  const kernel = kernelWith({}, () => {})
  t.teardown(() => kernel.close())
  const totals = new RttSums(kernel)
  const flows = tcpOf(kernel)
  const pass = async () => {
    const report = kernel.report(flows, bootTime(), { closing: 0, missed: 0, guessed: 0, unused: 0 })
    for await (const _ of report);
  }
  const rows = () => {
    const both = totals.rows(bootTime())
    const of = <R>(name: string) =>
      both.filter(({ layout }) => layout.name === name).flatMap(decoded) as SumRow<R>[]
    return { totals: of<TcpTotal>('tcp_total'), buckets: of<RttBucket>('rtt_bucket') }
  }
  const checkRange = (seen: ReturnType<typeof rows>, what: string) => {
    for (const [index, role] of ROLES.entries())
      for (const row of distribution(seen, pair.netns[index]!, role).rows)
        t.ok(
          row.rtt_min_us > 0 &&
            row.rtt_min_us * row.rtt_samples <= row.rtt_sum_us &&
            row.rtt_max_us * row.rtt_samples >= row.rtt_sum_us,
          `${what}: ${row.rtt_samples} samples as ${role} of ${row.rtt_sum_us} us together`,
          row,
        )
  }
  await pass()
  rows()
  await openEach(t, pair, 3)
  await pass() // those that were accepted have their owner by now
  checkRange(rows(), 'handshakes')
  await pair.client.ask('echo 1 100')
  await pass()
  await pair.client.ask('echo 5 100')
  checkRange(rows(), 'before and after the pass')
  await pass()
  checkRange(rows(), 'after it')
  await pass()
  await pair.client.ask('echo 5 100')
  checkRange(rows(), 'after the pass alone')
  await pass()
  checkRange(rows(), 'and then nothing')
})

t.test('programs attached before and after keep the callbacks that they asked for', real, async t => {
  const pair = await stage(t, 1)
  const [near] = pair.netns
  const before = await callbacks(t, [pair], { ownFlags: STATE_CB_FLAG })
  await openEach(t, pair, 3)
  const seen = await watch(t, { without: ['rtt_looks'] })
  const after = await callbacks(t, [pair], { ownFlags: RETRANS_CB_FLAG })
  await openEach(t, pair, 4)
  await pair.client.ask('echo 3 100')
  await settled(seen, [pair])
  const sampled = after.in(near).filter(({ op }) => op === RTT_CB)
  const flags = new Map(sampled.map(({ local_port, flags }) => [local_port, flags]))
  const all = (flags: number) => Array(4).fill(flags | RTT_CB_FLAG)
  t.same(
    [...flags.values()].sort((a, b) => a - b),
    [...all(STATE_CB_FLAG).slice(1), ...all(STATE_CB_FLAG | RETRANS_CB_FLAG)],
    'each connection has the wishes of all that were there when it opened, and the probe has its own',
  )
  await pair.client.ask('close')
  await settled(seen, [pair])
  const changes = before.in(near).filter(({ op, arg }) => op === STATE_CB && arg > 0)
  t.equal(new Set(changes.map(({ local_port }) => local_port)).size, 7, 'and the one before is called back')
})

t.test('samples of an accepted connection are those of who accepts it, not of who listens', real, async t => {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const base = `/sockflux-rtt-${process.pid}`
  t.teardown(() => removeCgroup(base))
  const actor = async () => {
    const actor = await startActor(netns.path)
    t.teardown(() => actor.close())
    return actor
  }
  const [server, client] = [await actor(), await actor()]
  const listens = await server.enter(`${base}/listens`)
  const connects = await client.enter(`${base}/connects`)
  const listener = await server.socket('listen 127.0.0.1 8000')
  const worker = await server.fork()
  const accepts = await worker.enter(`${base}/accepts`)
  const read = await readCallbacks(ASKS)
  t.teardown(() => read.close())
  read.watch(netns.path)
  const seen = await watch(t)
  for (const windows of [0, 1]) {
    const connected = await client.socket('connect 127.0.0.1 8000')
    const accepted = await worker.socket(`accept ${listener.fd}`)
    for (let window = 0; window < windows; window++) await seen.windowEnd()
    for (let round = 0; round < 3; round++) {
      await worker.do(`send ${accepted.fd} 1000`)
      await client.do(`receive ${connected.fd} 1000`)
    }
  }
  await ended(seen)
  const counted = (cgroup: number, role: number) => {
    const rows = seen.totals.filter(row => row.cgroup === cgroup && row.role === role)
    return sum(rows.map(row => row.rtt_samples))
  }
  const served = read.samples(netns.path, ({ local_port }) => local_port === 8000).length
  t.ok(served > 4, `${served} samples, also before its first use`)
  t.equal(counted(accepts, SERVER), served, 'the one that accepts has all')
  t.equal(counted(listens, SERVER), 0, 'the one that listens none')
  t.equal(counted(connects, CLIENT), read.samples(netns.path).length - served)
})

t.test('how long it took to connect is at least the round trip of the handshake', real, async t => {
  const pair = await stage(t, 20)
  const [near, far] = pair.netns
  const read = await callbacks(t, [pair], ASKS)
  const seen = await watch(t)
  const startedMs = performance.now()
  await openEach(t, pair, 10)
  const allUs = (performance.now() - startedMs) * 1000
  await settled(seen, [pair])
  const last = new Map(seen.in(near).map(row => [row.cookie, row]))
  t.equal(last.size, 10)
  for (const { established_ns, opened_ns, local_port } of last.values()) {
    const tookUs = (established_ns - opened_ns) / 1000
    const [handshakeUs] = read.samples(near, callback => callback.local_port === local_port)
    t.ok(
      handshakeUs! >= 20_000 && tookUs >= 0.99 * handshakeUs! && tookUs <= allUs,
      `${tookUs} us, of ${handshakeUs} us on the wire`,
    )
  }
  const accepted = new Map(seen.in(far).map(row => [row.cookie, row]))
  t.ok([...accepted.values()].every(row => row.established_ns >= row.opened_ns))
})
