import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import t from 'tap'
import { VERSION, writePieces } from '../../../../../collector/ingest/link/nats/pieces.ts'
import { Snapshots, snapshotBefore } from '../../../../../collector/ingest/link/nats/snapshots.ts'
import { STATES } from '../../../../../wire/nats/names.ts'
import { Cleanup } from '../../../../harness/cleanup.ts'
import { natsClient, setUp, startNats } from '../../../../harness/nats.ts'
import { needs } from '../../../../harness/skip.ts'

const HOUR_MS = 3_600_000
const KEEP_HOURS = 2
const PARTITION = 3
const HOSTS = { a: { sequence: 1, probes: [], series: [] } }

t.test(
  'one an hour is kept for as long as windows are, and the one before them',
  { skip: needs('nats') },
  async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const server = await startNats(cleanup)
    const client = await natsClient(cleanup, server.url)
    await setUp(client)
    const bucket = await new Kvm(jetstream(client)).open(STATES)
    const keys = async (filter: string) => {
      const found: string[] = []
      for await (const key of await bucket.keys(filter)) found.push(key)
      return found.sort()
    }
    const write = async (hour: number, generation: string) => {
      const snapshots = new Snapshots(bucket, PARTITION, KEEP_HOURS)
      const pieces = await writePieces(bucket, PARTITION, generation, {
        from: hour,
        hosts: hour < 2 ? {} : HOSTS,
      })
      if (!(await snapshots.isDue(hour * HOUR_MS))) return
      await snapshots.keep({ version: VERSION, by: 'a', generation, pieces }, hour * HOUR_MS)
      t.equal(await snapshots.isDue(hour * HOUR_MS), false)
    }
    t.equal(await snapshotBefore(bucket, PARTITION, Date.now()), undefined)
    for (let hour = 0; hour < 6; hour++) {
      await write(hour, `g${hour}`)
      if (hour === 0) t.equal((await snapshotBefore(bucket, PARTITION, 0))?.from, 0, 'the beginning')
      await write(hour, `again${hour}`) // of a collector that has just taken the partition
    }
    t.same(await keys('s.>'), ['s.3.2', 's.3.3', 's.3.4', 's.3.5'])
    t.same(
      await keys('p.>'),
      ['p.3.again5.0', 'p.3.g2.0', 'p.3.g3.0', 'p.3.g4.0', 'p.3.g5.0'],
      'no piece is left of the others',
    )
    t.equal((await snapshotBefore(bucket, PARTITION, Date.now() + 1000))?.from, 5)
    t.equal(await snapshotBefore(bucket, PARTITION, Date.now() - HOUR_MS), undefined)
    t.equal(await snapshotBefore(bucket, 4, Date.now()), undefined, 'another partition has its own')
    await bucket.purge('p.3.g5.0')
    await t.rejects(snapshotBefore(bucket, PARTITION, Date.now() + 1000), /piece 1 of 1 is not there/)
  },
)
