import t from 'tap'
import { collectors } from '../../../probe/doctor/services.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { startNats } from '../../harness/nats.ts'
import { needs } from '../../harness/skip.ts'
import { freePort } from '../../harness/sockflux.ts'
import { world } from './world.ts'

t.test('a NATS server is asked as the probe will', { skip: needs('nats') }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const env = await world(t)
  const find = async (endpoint: string) => (await collectors({ ...env, collectors: [endpoint] }))[0]
  const [one, locked] = [
    await startNats(cleanup, { more: 'max_payload: 65536' }),
    await startNats(cleanup, { more: 'authorization { token: "secret" }' }),
  ]
  t.match(await find(one.url), { ok: 'warn', found: /messages up to 65536 bytes/ })
  t.match(await find(locked.url), {
    ok: 'warn',
    found: /does not know our key/,
    remedy: /--nats-credentials/,
  })
  t.match(await find(`nats://127.0.0.1:${await freePort()}`), { ok: 'warn', found: /does not take us/ })
  const good = await startNats(cleanup)
  t.match(await find(`${good.url},partitions=8`), {
    ok: true,
    found: /nats-server 2\.\d+\.\d+ with JetStream/,
  })
})
