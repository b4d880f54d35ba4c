import t from 'tap'
import { Channel } from '../../../../../collector/ingest/link/nats/channel.ts'

t.test('who puts waits until the reader is done with it', async t => {
  const channel = new Channel<number>()
  const done: number[] = []
  for (const item of [1, 2, 3]) void channel.put(item, () => true).then(() => done.push(item))
  for await (const item of channel) {
    t.same(done, [1, 2, 3].slice(0, item - 1), 'those before it')
    if (item === 3) break
  }
})

t.test('what is not wanted any more is not read', async t => {
  const channel = new Channel<number>()
  const taken = [1, 2].map(item => channel.put(item, () => item === 2))
  for await (const item of channel) {
    t.equal(item, 2)
    channel.close()
  }
  t.same(await Promise.all(taken), [false, true])
  t.equal(await channel.put(3, () => true), false, 'nor after the end')
})
