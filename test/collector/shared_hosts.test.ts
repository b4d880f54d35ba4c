import t, { type Test } from 'tap'
import { Dealer } from 'zeromq'
import { ask } from '../../cli/client.ts'
import type { TopHost } from '../../collector/view/rows.ts'
import { decodeAck } from '../../wire/ack.ts'
import { encodeWindow, type WindowHead } from '../../wire/message.ts'
import { bundleOf } from '../harness/bundle.ts'
import { encodeRows, tcpFlowLayout } from '../harness/rows.ts'
import { freePort, openSite } from '../harness/sockflux.ts'

const NOW = Math.floor(Date.now() / 1000) - 60
const layout = tcpFlowLayout()
const nobody = { cgroups: {}, containers: {}, pods: {}, running: [] }
const CLIENT = 1

/** A probe of host web1: each window has one flow that carried so many bytes. Resolves with the acknowledgement. */
function probeOf(t: Test, endpoint: string, probe: string, bytes: number) {
  const dealer = new Dealer({ linger: 0 })
  t.teardown(() => dealer.close())
  dealer.connect(endpoint)
  return async (window: number, time = NOW + window) => {
    const head: WindowHead = {
      ...{ host: 'web1', boot: `boot of ${probe}`, probe, window, sequence: window, lost: {} },
      ...{ start_ns: '1', end_ns: '2', clock_offset_ns: '0', time, interval: 1, partial: window === 0 },
    }
    const rows = encodeRows(layout, [{ role: CLIENT, bytes_sent: bytes, segs_sent: 1 }])
    await dealer.send(encodeWindow(head, bundleOf({ layout, bytes: rows }), nobody))
    return decodeAck(await dealer.receive())
  }
}

t.test('two machines of one name are two hosts in the store, Prometheus and top', async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  const web = `127.0.0.1:${await freePort()}`
  const collector = await site.collector(['--prometheus', web])
  const [a, b] = [probeOf(t, site.endpoint, 'aaaa1', 100), probeOf(t, site.endpoint, 'bbbb2', 7)]
  for (const window of [0, 1, 2, 3, 4]) {
    t.match(await a(window), { host: 'web1', probe: 'aaaa1', window })
    t.match(await b(window), { host: 'web1', probe: 'bbbb2', window }, 'acknowledged as it came')
  }
  const stored = await site.query(
    `select host, count(*)::INT as windows, max(bytes_sent)::INT as bytes from "host:traffic" group by host order by host`,
  )
  t.same(stored, [
    { host: 'web1', windows: 4, bytes: 507 }, // the first window of the other came before it was known
    { host: 'web1~bbbb', windows: 4, bytes: 28 },
  ])
  const top = JSON.parse((await ask(site.socket, 'GET', '/top')).body) as TopHost[]
  t.same(top.map(({ host }) => host).sort(), ['web1', 'web1~bbbb'])
  const text = await (await fetch(`http://${web}/metrics`)).text()
  t.match(text, /sockflux_host_sent_bytes_total\{[^}]*host="web1"[^}]*\} 507/)
  t.match(text, /sockflux_host_sent_bytes_total\{[^}]*host="web1~bbbb"[^}]*\} 28/)
  t.match(await site.stats(), { shared_hosts: 4, kept_apart: ['web1~bbbb'] })
  const said = collector.stderr.match(/two machines are called web1: give each a --host of its own; [^"]*/g)
  t.same(said, [
    'two machines are called web1: give each a --host of its own; the one that came later is stored as host web1~bbbb',
  ])
})

t.test('windows whose time cannot be true are acknowledged, counted and not stored', async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  const collector = await site.collector()
  const probe = probeOf(t, site.endpoint, 'aaaa1', 100)
  const YEAR_9999 = 253_402_300_799
  const times = [NOW, YEAR_9999, NOW + 86_400, 20, NOW + 10]
  for (const [at, time] of times.entries()) t.match(await probe(at + 1, time), { window: at + 1 })
  const [stored] = await site.query(
    'select count(*)::INT as windows, max(epoch(time))::INT as last, max(bytes_sent)::INT as bytes from "host:traffic"',
  )
  t.same(
    stored,
    { windows: 2, last: NOW + 10, bytes: 500 },
    'what they carried is in the next that is stored',
  )
  t.match(await site.stats(), { lost: { clock_ahead: 2, clock_unset: 1 } })
  t.match(collector.stderr, /"reason":"clock_ahead".*until 9999-12-31T23:59:59Z is not stored/)
})
