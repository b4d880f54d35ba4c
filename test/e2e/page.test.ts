import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { barriers, openBrowser } from '../harness/browser.ts'
import { needs } from '../harness/skip.ts'
import { freePort, openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { client, connected, type Pair, serve, startPair } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss', 'containerd', 'chromium')
const PORT = '80'
const SOCKETS = 5
const VIEWS = ['containers', 'pods', 'processes', 'hosts', 'map', 'flows', 'nodes', 'connections', 'health']
/** A window of a second, and what is made of it. */
const SOON_MS = 20_000
const GROUPS = 'flows,rtt,rtt_dist,traffic,tcp,connect,process,host,stats'

async function stage(t: Test) {
  const pair = await startPair({ rttMs: 20 })
  t.teardown(() => pair.close())
  const site = await openSite()
  t.teardown(() => site.close())
  const http = `127.0.0.1:${await freePort()}`
  const flags = ['--http', http, '--metrics', GROUPS]
  const collector = await site.collector(flags)
  await site.probe(['--containerd-state', pair.node.containerd.stateDir, '--host', 'node-1'])
  const browser = await openBrowser()
  t.teardown(() => browser.close())
  return { pair, site, flags, collector, browser }
}

/** Five connections over 20 ms that say something in every window. */
async function talk(t: Test, { node, shop, cart }: Pair) {
  await serve(node, cart.pod.containers.main, cart.address, PORT)
  const load = client(node, shop.pod.containers.main)
  await load.ask(`open ${SOCKETS} ${cart.address} ${PORT}`)
  await connected(cart.pod.netns, SOCKETS)
  let isOver = false
  const talking = (async () => {
    while (!isOver) await load.ask('echo 1 20000')
  })()
  t.teardown(async () => {
    isOver = true
    await talking
  })
}

const linkOf = async (site: Site) => (await site.run('page')).stdout.trim()
const rowsOf = (page: Page): Promise<string[][]> =>
  page.evaluate(
    "[...document.querySelector('table').tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent))",
  )
const see = (page: Page, what: string, isThere: (rows: string[][]) => boolean) =>
  until(what, async () => isThere(await rowsOf(page)), SOON_MS)
const choose = (page: Page, view: string) => page.click(`nav a[data-view=${view}]`)

t.test('the page in a real browser', { skip }, async t => {
  const { pair, site, flags, collector, browser } = await stage(t)
  await talk(t, pair)
  const { page, faults } = await browser.open(await linkOf(site))
  const main = shortId(pair.shop.pod.containers.main.id)

  t.equal(new URL(page.url()).search, '', 'the address has no token any more')
  const sentTo = async (url: string) => (await page.context().cookies(url)).length
  t.equal(await sentTo(page.url()), 1)
  t.equal(await sentTo('http://127.0.0.1:1/api/live'), 0, 'whoever serves another port gets no cookie')
  const isRow = ([name, id, , , flows]: string[]) =>
    name === 'main' && id === main && flows === String(SOCKETS)
  await see(page, 'the container with its flows', rows => rows.some(isRow))
  await until('its round trips over the wire', async () => {
    const row = (await rowsOf(page)).find(isRow)
    return row !== undefined && Number.parseFloat(row[5]!) >= 20 && row[5]!.endsWith(' ms')
  })
  const row = (await rowsOf(page)).find(isRow)!
  t.match(row, ['main', main, 'trade/shop-0', 'node-1'])
  t.match(row[8], / [kM]B\/s$/, 'what it sends')

  const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=CSV')])
  const csv = readFileSync(await download.path(), 'utf8').split('\r\n')
  t.match(csv[0], /^Container,Id,Pod,Host,Flows,p50_ms/)
  t.ok(
    csv.some(line => line.startsWith(`main,${main},trade/shop-0,node-1,${SOCKETS},`)),
    'the file has the row',
  )

  await page.keyboard.press('/')
  await page.keyboard.type('cart')
  await see(
    page,
    'what the text leaves',
    rows => rows.length === 2 && rows.every(([, , pod]) => pod === 'trade/cart-0'),
  )
  t.match(page.url(), /\?text=cart$/)
  await page.reload()
  await see(
    page,
    'the same after a reload',
    rows => rows.length === 2 && rows.every(([, , pod]) => pod === 'trade/cart-0'),
  )
  await page.click('text=clear')
  await page.selectOption('#filter-role', 'server')
  await see(
    page,
    'servers alone',
    rows => rows.some(([, , pod]) => pod === 'trade/cart-0') && !rows.some(isRow),
  )
  await page.click('text=clear')

  await see(page, 'all of them', rows => rows.some(isRow))
  await page.click(`tr:has-text("${main}") a`)
  await see(page, 'its connections', rows => rows.length === SOCKETS)
  const connection = (await rowsOf(page))[0]!
  t.match(connection, [
    'load in trade/shop-0',
    'load in trade/cart-0',
    `${pair.cart.address}:${PORT}`,
    'ESTABLISHED',
  ])
  t.ok(Number.parseFloat(connection[4]!) >= 20, `its round trip: ${connection[4]}`)
  await page.locator('tbody button').first().click()
  t.match(
    await page.locator('dialog[open]').innerText(),
    /server containerName\s+main/,
    'all that is known of one',
  )
  await page.keyboard.press('Escape')
  await until('its past, from the store', async () =>
    /flows?: now|open: now 5/i.test((await page.locator('.plot').first().getAttribute('aria-label')) ?? ''),
  )

  await page.click('text=clear')
  await choose(page, 'map')
  await page.selectOption('#map-by', 'pod')
  const isEdge = ([from, to, flows]: string[]) =>
    from === 'trade/shop-0' && to === 'trade/cart-0' && flows === String(SOCKETS)
  await see(page, 'who talks to whom', rows => rows.some(isEdge))
  t.ok((await page.locator('.map a').count()) >= 2, 'the picture has them, too')
  await page.locator('.map a', { hasText: 'trade/shop-0' }).first().click()
  await see(page, 'the connections of a node', rows => rows.length === SOCKETS)

  await page.click('text=clear')
  await choose(page, 'flows')
  const isKind = ([what, flows]: string[]) => what === 'pod to pod' && flows === String(SOCKETS)
  await see(page, 'what pods talk to', rows => rows.some(isKind))
  await page.locator('tbody a', { hasText: 'pod to pod' }).click()
  await until(
    'both directions as ribbons',
    async () => (await page.locator('.pictures path.ribbon').count()) === 2,
  )
  t.match(page.url(), /to=pod/)
  const ends = await page.locator('.pictures a').allTextContents()
  t.equal(ends.filter(name => name.endsWith('trade/shop-0')).length, 2, 'sends, and is sent to')
  await page.locator('.pictures a', { hasText: 'trade/cart-0' }).first().click()
  await see(page, 'the connections of an end of a ribbon', rows => rows.length === SOCKETS)
  await choose(page, 'nodes')
  await until('traffic within the node', async () =>
    /^node-1\s.* [kM]?B\/s/.test(await page.locator('.heat tbody tr').first().innerText()),
  )

  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    // the dark scheme has other colours alone
    for (const view of colorScheme === 'light' ? VIEWS : ['containers', 'map', 'flows', 'nodes']) {
      await page.goto(new URL(`./?view=${view}`, page.url()).href)
      await until('its content', async () => (await page.locator('main').innerText()).length > 20)
      t.same(await barriers(page), [], `${view}, ${colorScheme}: nothing serious keeps people out`)
    }
  }
  await page.setViewportSize({ width: 390, height: 844 })
  await choose(page, 'containers')
  await see(page, 'rows on a phone', rows => rows.length > 0)
  for (const view of ['flows', 'nodes', 'containers']) {
    await choose(page, view)
    await see(page, 'rows', rows => rows.length > 0)
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    t.ok(overflow <= 0, `${view}: nothing is wider than a phone: ${overflow}`)
  }
  t.same(faults, [], 'no error, and no request to anybody else')

  await collector.kill('SIGTERM')
  await until('the page says that it is gone', async () =>
    /does not answer/.test(await page.locator('#status').innerText()),
  )
  await site.collector(flags)
  await until(
    'the page goes on',
    async () => /^live/.test(await page.locator('#status').innerText()),
    SOON_MS,
  )
  await page.setViewportSize({ width: 1440, height: 900 })
  await see(page, 'the same container again', rows => rows.some(isRow))
})
