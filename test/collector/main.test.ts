import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Dealer } from 'zeromq'
import { decodeAck } from '../../wire/ack.ts'
import { type ContainerName, encodeWindow, type WindowHead } from '../../wire/message.ts'
import { messages } from '../golden/ntopng.ts'
import { bundleOf } from '../harness/bundle.ts'
import { start } from '../harness/process.ts'
import { openSite, SOCKFLUX } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

/** A probe's end of the wire: what it sends, and the windows that are acknowledged. */
function dealerTo(t: Test, endpoint: string) {
  const dealer = new Dealer({ linger: 0 })
  t.teardown(() => dealer.close())
  dealer.connect(endpoint)
  /** The end of this window, in which a container ran. */
  const end = (window: number, name: ContainerName) => {
    const head: WindowHead = {
      ...{ host: 'h', boot: 'b', probe: 'p', window, sequence: window, lost: {} },
      ...{
        start_ns: '1',
        end_ns: '2',
        clock_offset_ns: '0',
        time: NOW + window,
        interval: 1,
        partial: false,
      },
    }
    const names = { cgroups: {}, containers: { a: name }, pods: {}, running: ['a'] }
    return dealer.send(encodeWindow(head, bundleOf(), names))
  }
  const acknowledged = async () => decodeAck(await dealer.receive()).window
  return { dealer, end, acknowledged }
}

const NOW = Math.floor(Date.now() / 1000)
const PENDING = { runtime: 'docker', pending: true }
const NAMED = { runtime: 'docker', name: 'web' }

t.test(
  'a window that waits for a name when the collector stops is stored with the name by the next one',
  async t => {
    const site = await openSite()
    t.teardown(() => site.close())
    const first = await site.collector()
    const { end, acknowledged } = dealerTo(t, site.endpoint)
    await end(1, NAMED)
    t.equal(await acknowledged(), 1)
    await end(2, PENDING)
    await until('window 2', async () => (await site.stats()).received === 2)
    t.match(await first.kill(), { code: 0 })
    t.match(first.stderr, /"waiting_for_names":1/)
    await site.collector()
    await end(2, PENDING)
    await end(3, NAMED)
    t.same([await acknowledged(), await acknowledged()].sort(), [2, 3], 'and not before')
    t.same(
      await site.query(
        `select epoch(time)::INT - ${NOW} as window, container_name as name from "container:num_flows" order by time`,
      ),
      [1, 2, 3].map(window => ({ window, name: 'web' })),
    )
  },
)

t.test('a window that is stored while the collector stops is acknowledged', async t => {
  const asked = Promise.withResolvers<() => void>()
  const slow = createServer((request, response) => {
    request.resume()
    response.setHeader('x-influxdb-version', '1.6.7')
    if (request.url?.startsWith('/write')) asked.resolve(() => response.writeHead(204).end())
    else response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(slow, 'listening')
  t.teardown(() => slow.close())
  const site = await openSite()
  t.teardown(() => site.close())
  const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`
  const collector = await site.collector(['--influx-url', url])
  const { end, acknowledged } = dealerTo(t, site.endpoint)
  await end(1, NAMED)
  const answer = await asked.promise
  const stopped = collector.kill()
  await sleep(200) // the signal comes before the answer
  answer()
  t.equal(await acknowledged(), 1)
  t.match(await stopped, { code: 0 })
})

t.test('top ends without an error when its reader closes the pipe', async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector()
  const { end } = dealerTo(t, site.endpoint)
  const command = `"$@" | head --lines 1; exit \${PIPESTATUS[0]}`
  const top = start(['bash', '-c', command, 'bash', ...SOCKFLUX, 'top', '--socket', site.socket])
  t.teardown(() => top.close())
  await top.line(/^waiting/)
  await end(1, NAMED)
  t.match(await top.exited, { code: 0 })
  t.equal(top.stderr, '')
})

t.test('the groups of --metrics are written, and the plan counts their series', async t => {
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
  const tables = []
  for (const { name } of await site.query('show tables'))
    if ((await site.query(`from "${name}" limit 1`)).length > 0) tables.push(name)
  t.same(
    tables,
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
