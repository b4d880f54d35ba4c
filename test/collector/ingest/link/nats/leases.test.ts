import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import t from 'tap'
import { Leases } from '../../../../../collector/ingest/link/nats/leases.ts'
import { State } from '../../../../../collector/ingest/link/nats/state.ts'
import { LEASES, STATES } from '../../../../../wire/nats/names.ts'
import { Cleanup } from '../../../../harness/cleanup.ts'
import { natsClient, setUp, startNats } from '../../../../harness/nats.ts'
import { needs } from '../../../../harness/skip.ts'
import { until } from '../../../../harness/until.ts'

const PARTITIONS = 8
const skip = needs('nats')

async function buckets(cleanup: Cleanup) {
  const server = await startNats(cleanup)
  const client = await natsClient(cleanup, server.url)
  await setUp(client, { lease: 1 })
  const open = async () => new Kvm(jetstream(await natsClient(cleanup, server.url)))
  return { server, open }
}

t.test(
  'collectors that come and go move only what they must, and a partition has one holder',
  { skip },
  async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const { open } = await buckets(cleanup)
    const holders = new Map<number, string>()
    const moves: string[] = []
    const twice: string[] = []
    const start = async (id: string) => {
      const bucket = await (await open()).open(LEASES)
      const give = (partition: number) => {
        if (holders.get(partition) === id) holders.delete(partition)
      }
      const leases = new Leases(
        bucket,
        { id, partitions: PARTITIONS, ttlMs: 1000 },
        {
          async take(partition) {
            const holder = holders.get(partition)
            if (holder !== undefined) twice.push(`${partition}: ${holder} and ${id}`)
            moves.push(`${id} ${partition}`)
            holders.set(partition, id)
          },
          async release(partition) {
            give(partition)
          },
          lose: give,
          failed: error => t.fail(String(error)),
        },
      )
      await leases.open()
      return leases
    }
    const settled = (...ids: string[]) =>
      until(`all with ${ids}`, () => {
        const now = new Set(holders.values())
        return holders.size === PARTITIONS && now.size === ids.length && ids.every(id => now.has(id))
      })
    const a = await start('a')
    await settled('a')
    const before = new Map(holders)
    const b = await start('b')
    await settled('a', 'b')
    t.equal(moves.length, PARTITIONS + [...holders].filter(([, id]) => id === 'b').length, 'those of b moved')
    for (const [partition, id] of holders) if (id === 'a') t.equal(before.get(partition), 'a')
    const moved = moves.length
    await b.close()
    await settled('a')
    t.equal(moves.length - moved, new Set(moves.filter(move => move.startsWith('b '))).size, 'and come back')
    await a.close()
    t.equal(holders.size, 0)
    t.same(twice, [])
  },
)

t.test('what is known is written in pieces, and who lost the partition writes no more', { skip }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const { open } = await buckets(cleanup)
  const bucket = await (await open()).open(STATES)
  const { state: first, saved } = await State.open(bucket, 3, 'a')
  t.equal(saved, undefined)
  // random, so that it does not become small: several pieces
  const probes = Array.from({ length: 100_000 }, () => Math.random())
  const large = { from: 7, hosts: { web: { sequence: 7, probes, series: null } } }
  await first.write(large)
  await first.write(large)
  const keys = async () => {
    const found: string[] = []
    for await (const key of await bucket.keys('p.3.>')) found.push(key)
    return found
  }
  t.ok((await keys()).length > 1, 'pieces')
  const second = await State.open(bucket, 3, 'b')
  t.same(second.saved, large)
  await t.rejects(first.write(large), /wrong last sequence/)
  await second.state.write({ from: 8, hosts: {} })
  t.same((await State.open(bucket, 3, 'c')).saved, { from: 8, hosts: {} })
  const [key] = (await keys()).filter(key => key.includes('.b-'))
  await bucket.purge(key!)
  t.match((await State.open(bucket, 3, 'd')).why, /piece 1 of 1 is not there/)
})
