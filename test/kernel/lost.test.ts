import t from 'tap'
import { loadBinary } from '../harness/binary.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { run, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'
import { veth } from '../harness/veth.ts'
import { CLIENT } from '../harness/watch.ts'
import { ended, sum, watch } from './rtt_pair.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'ss') }
const [NEAR, FAR, PORT] = ['10.9.0.1/24', '10.9.0.2/24', 8000]

t.test('segments that are lost at the end of a window are those of ss, until they arrive', real, async t => {
  const [near, far] = [await createNetns(), await createNetns()]
  t.teardown(() => near.close())
  t.teardown(() => far.close())
  await veth(near.path, [NEAR], far.path, [FAR])
  const load = async (netns: string, ...words: string[]) => {
    const child = start(inNetns(netns, [await loadBinary(), ...words]))
    t.teardown(() => child.close())
    return child
  }
  const server = await load(far.path, 'server', '0.0.0.0', String(PORT))
  await server.line(/listening/)
  const client = await load(near.path, 'client')
  const seen = await watch(t)
  t.match(await client.ask(`open 3 10.9.0.2 ${PORT}`), { opened: 3 })
  t.match(await client.ask('echo 1 1000'), { echoed: 3 })

  const path = (...words: string[]) => run(inNetns(far.path, ['ip', 'address', ...words, FAR, 'dev', 'veth']))
  await path('del') // what comes is for nobody now
  const echoed = client.ask('echo 1 20000', 60_000)
  const lostNow = async () => sum((await ss({ netns: near.path })).map(({ lost }) => lost))
  const lastWindow = () => {
    const rows = seen.in(near.path)
    const last = Math.max(...rows.map(({ window }) => window))
    return rows.filter(({ window }) => window === last)
  }
  const steady = await until('a whole window in which as much is lost', async () => {
    const before = await lostNow()
    await ended(seen)
    return before > 0 && before === (await lostNow()) && before
  })
  const rows = lastWindow()
  t.equal(rows.length, 3)
  t.ok(rows.every(({ role }) => role === CLIENT))
  t.equal(sum(rows.map(row => row.lost_segments)), steady, `${steady} segments, as ss says`)
  t.ok(steady > 3, 'more than one for each connection')

  await path('add')
  t.match(await echoed, { echoed: 3 })
  t.equal(await lostNow(), 0)
  await ended(seen)
  t.equal(sum(lastWindow().map(row => row.lost_segments)), 0, 'a level, which falls again')
})
