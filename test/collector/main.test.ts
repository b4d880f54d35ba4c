import t from 'tap'
import { Dealer } from 'zeromq'
import { decodeAck } from '../../probe/wire/message.ts'
import { messages } from '../golden/ntopng.ts'
import { openSite } from '../harness/sockflux.ts'

t.test('the groups that were asked for are written, and the plan counts their series', async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector(['--metrics', 'flows,tcp', '--store-days', '36500'])
  const probe = new Dealer({ linger: 0 })
  t.teardown(() => probe.close())
  probe.connect(site.endpoint)
  for (const frames of messages()) await probe.send(frames)
  const windows = new Set<string>()
  while (windows.size < 6) {
    const { host, window } = decodeAck(await probe.receive())
    windows.add(`${host} ${window}`)
  }
  const tables = await site.query('show tables')
  t.same(
    tables.map(({ name }) => name),
    ['container', 'host', 'pod'].flatMap(level => [
      ...(level === 'pod' ? ['pod:num_containers'] : []),
      ...[`${level}:num_flows`, `${level}:tcp`],
    ]),
  )
  const flows = await site.query(`select sum(as_client + as_server)::INT sum from (
    from "pod:num_flows" union all by name from "host:num_flows"
    union all by name (from "container:num_flows" where pod is null))`)
  t.same(flows, [{ sum: 480 }], 'every flow of every window')
  const { stdout } = await site.run('metrics', '--plan')
  t.match(stdout, /container:num_flows +12\n/)
  t.match(stdout, /total +\d+\n$/)
})
