/** Two pods of one name in two namespaces, over wires of different length, so that no mean of them is like another. */

import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { link } from '../harness/delay.ts'
import { type Node, startNode } from '../harness/node.ts'
import { IDLE } from '../harness/pod.ts'
import { needs } from '../harness/skip.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'
import { client, connected, serve } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss', 'containerd')
const NAME = 'web-0'
const NAMESPACES = ['shop', 'test'] as const
const ROLES = ['as_client', 'as_server'] as const
/** Connections that the pod in `shop` opened to the other, and the other to it. */
const [FROM_SHOP, FROM_TEST] = [3, 5]
const FLOWS = {
  shop: { as_client: FROM_SHOP, as_server: FROM_TEST },
  test: { as_client: FROM_TEST, as_server: FROM_SHOP },
}
const CONTAINERS = { shop: ['main', 'side'], test: ['main'] }

/**
 * How long connecting took is told by the window in which it did, which may be the one before; nothing stalls here, and
 * the others are not read by default.
 */
const UNTOLD = /:(connect|queueing|stalls|throughput)$/

type Row = Readonly<Record<string, unknown>>

const run = (node: Node, namespace: (typeof NAMESPACES)[number]) =>
  node.runPod({
    name: NAME,
    namespace,
    containers: CONTAINERS[namespace].map(name => ({ name, command: IDLE })),
  })

/** All rows of one window, by measurement: those of pods and of containers. */
async function rowsOf(site: Site, window: number): Promise<Map<string, Row[]>> {
  const count = `select * from "pod:num_containers" where pod = '${NAME}' and epoch(time) = ${window}`
  await until(`window ${window}`, async () => (await site.query(count).catch(() => [])).length > 0, 20_000)
  const names = (await site.query('show tables')).map(({ name }) => String(name))
  const measurements = names.filter(name => /^(pod|container):/.test(name)).sort()
  const rows = new Map<string, Row[]>()
  for (const name of measurements) {
    const own = await site.query(`select * from "${name}" where epoch(time) = ${window}`)
    rows.set(name, own)
  }
  return rows
}

/** What tells the series of a measurement apart. */
const tagsOf = (row: Row): string => {
  const tags = Object.entries(row).filter(([, value]) => typeof value === 'string')
  return JSON.stringify(tags.sort())
}

const number = (row: Row | undefined, field: string): number => Number(row?.[field])

function checkApart(t: Test, rows: ReadonlyMap<string, Row[]>) {
  for (const [measurement, all] of rows) {
    const own = all.filter(({ pod }) => pod === NAME)
    const found = [...new Set(own.map(({ namespace }) => namespace))].sort()
    t.same(
      found,
      !UNTOLD.test(measurement) ? NAMESPACES : found,
      `${measurement}: samples of both namespaces`,
    )
    t.equal(new Set(own.map(tagsOf)).size, own.length, `${measurement}: each series has one sample`)
  }
  const of = (measurement: string, namespace: string) =>
    rows.get(measurement)!.filter(row => row['pod'] === NAME && row['namespace'] === namespace)
  for (const namespace of NAMESPACES) {
    t.match(of('pod:num_flows', namespace), [FLOWS[namespace]], `flows of the pod in ${namespace}`)
    const names = CONTAINERS[namespace]
    t.match(of('pod:num_containers', namespace), [{ num_containers: names.length }])
    const containers = of('container:num_flows', namespace)
    t.same(containers.map(({ container_name }) => container_name).sort(), names)
    t.match(
      containers.filter(({ container_name }) => container_name === 'main'),
      [FLOWS[namespace]],
    )
  }
}

/** Merged before writing, means by the number of flows. */
function checkMerged(t: Test, merged: ReadonlyMap<string, Row[]>, apart: ReadonlyMap<string, Row[]>) {
  for (const [measurement, rows] of merged) {
    const tags = measurement.startsWith('pod:') ? ['ifid', 'pod'] : ['container', 'ifid']
    for (const row of rows)
      t.same(
        Object.keys(row)
          .filter(key => typeof row[key] === 'string' && key !== 'time')
          .sort(),
        tags,
        `${measurement}: the tags of ntopng`,
      )
  }
  const [one] = merged.get('pod:num_containers')!.filter(({ pod }) => pod === NAME)
  t.match(one, { num_containers: 3 })
  for (const measurement of ['pod:num_flows', 'pod:rtt', 'pod:rtt_variance']) {
    const own = merged.get(measurement)!.filter(({ pod }) => pod === NAME)
    t.equal(own.length, 1, `${measurement}: one sample of both`)
    const each = apart.get(measurement)!.filter(({ pod }) => pod === NAME)
    for (const role of ROLES) {
      const flows = NAMESPACES.map(namespace => FLOWS[namespace][role])
      const values = NAMESPACES.map(name =>
        number(
          each.find(({ namespace }) => namespace === name),
          role,
        ),
      )
      const weighted = flows.reduce((sum, count, index) => sum + count * values[index]!, 0)
      const all = flows.reduce((sum, count) => sum + count, 0)
      const expected = measurement === 'pod:num_flows' ? all : weighted / all
      const value = number(own[0], role)
      t.ok(Math.abs(value - expected) < 1e-6, `${measurement} ${role}: ${value} is ${expected}`)
      if (measurement === 'pod:rtt') t.ok(Math.abs(values[0]! - values[1]!) > 5, 'of unlike ones')
    }
  }
}

t.test('two pods of one name stay two, and are one for ntopng', { skip }, async t => {
  const node = await startNode()
  t.teardown(() => node.close())
  const [shop, test] = [await run(node, 'shop'), await run(node, 'test')]
  const addresses = { addrA: '10.9.0.1', addrB: '10.9.0.2' }
  const wire = await link({ nsA: shop.netns, nsB: test.netns, ...addresses, rttMs: 20 })
  t.teardown(() => wire.close())
  await serve(node, shop.containers['main']!, '0.0.0.0', '80')
  await serve(node, test.containers['main']!, '0.0.0.0', '80')
  const fromShop = client(node, shop.containers['main']!)
  const fromTest = client(node, test.containers['main']!)
  const [own, ntopng] = [await openSite(), await openSite()]
  t.teardown(() => Promise.all([own.close(), ntopng.close()]))
  await own.collector()
  const merging = await ntopng.collector(['--profile', 'ntopng'])
  await own.probe(['--containerd-state', node.containerd.stateDir], [own.endpoint, ntopng.endpoint])
  t.match(await fromShop.ask(`open ${FROM_SHOP} ${addresses.addrB} 80`), { opened: FROM_SHOP })
  t.match(await fromTest.ask(`open ${FROM_TEST} ${shop.ip} 80`), { opened: FROM_TEST })
  for (const { netns } of [shop, test]) await connected(netns, FROM_SHOP + FROM_TEST)
  // All flows exchange segments within one window, so that each of them is measured in it.
  const window = await until('a window for all of it', async () => {
    const window = await earlyInWindow()
    const echoes = await Promise.all([fromShop.ask('echo 1 100'), fromTest.ask('echo 1 100')])
    t.same(echoes, [{ echoed: FROM_SHOP }, { echoed: FROM_TEST }])
    return windowNow() === window && window
  })
  const apart = await rowsOf(own, window)
  checkApart(t, apart)
  const merged = await rowsOf(ntopng, window)
  checkMerged(t, merged, apart)
  const ids = [shop, test].flatMap(({ containers }) => Object.values(containers).map(({ id }) => shortId(id)))
  for (const [measurement, rows] of merged)
    for (const row of rows.filter(({ container }) => ids.includes(String(container)))) {
      const same = apart.get(measurement)!.filter(({ container }) => container === row['container'])
      const written = Object.entries(row).filter(([, value]) => value !== null) // a table has columns for all tags
      t.match(same, [Object.fromEntries(written)], `${measurement}: a container is what it was`)
    }
  const said = merging.stderr.split('\n').filter(line => line.includes('pods of one name'))
  t.equal(said.length, 1, 'it is said once')
  t.same(await own.losses(), {}, 'nothing was lost')
  t.same(await ntopng.losses(), {}, 'nor for ntopng')
})
