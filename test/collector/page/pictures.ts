/**
 * The page in a real browser while two pods talk: docs/images/page-*.webp.
 *
 *     node test/collector/page/pictures.ts [seconds]
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { client, type Pair, serve, startPair } from '../../e2e/pair.ts'
import { openBrowser } from '../../harness/browser.ts'
import { closable } from '../../harness/cleanup.ts'
import type { Container } from '../../harness/pod.ts'
import { freePort, openSite } from '../../harness/sockflux.ts'

const FOLDER = join(import.meta.dirname, '../../../docs/images')
const GROUPS = 'flows,rtt,rtt_dist,traffic,tcp,connect,process,host,stats'
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }
const VIEWS = {
  containers: './?namespace=shop',
  map: './?namespace=shop&view=map',
  connections: './?view=connections&container=',
}
const QUALITY = 80

/** Until the process ends. */
async function talk({ node, shop, cart }: Pair): Promise<void> {
  await serve(node, cart.pod.containers.main, cart.address, '80')
  await serve(node, cart.pod.containers.idle, cart.address, '6379')
  await serve(node, shop.pod.containers.main, shop.address, '8080')
  const loads: [Container, number, string, string, number][] = [
    [shop.pod.containers.main, 12, cart.address, '80', 20_000],
    [shop.pod.containers.idle, 3, cart.address, '6379', 2000],
    [cart.pod.containers.main, 4, cart.address, '6379', 60_000],
    [cart.pod.containers.idle, 2, shop.address, '8080', 800],
  ]
  for (const [container, sockets, address, port, bytes] of loads) {
    const load = client(node, container)
    await load.ask(`open ${sockets} ${address} ${port}`)
    void (async () => {
      for (;;) {
        await load.ask(`echo 1 ${Math.round(bytes * (0.5 + Math.random()))}`)
        await sleep(100 * Math.random())
      }
    })().catch(() => {})
  }
}

async function picture(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  await writeFile(join(FOLDER, `page-${name}.webp`), Buffer.from(data, 'base64'))
  if (process.env['PNG']) await page.screenshot({ path: join(process.env['PNG'], `page-${name}.png`) })
}

const stage = await closable(async cleanup => {
  const pair = await startPair({ rttMs: 4, dropEvery: 400, namespace: 'shop' })
  cleanup.defer(() => pair.close())
  const site = await openSite()
  cleanup.defer(() => site.close())
  await site.collector(['--http', `127.0.0.1:${await freePort()}`, '--metrics', GROUPS])
  await site.probe(['--containerd-state', pair.node.containerd.stateDir, '--host', 'node-1'])
  await talk(pair)
  const browser = await openBrowser()
  cleanup.defer(() => browser.close())
  return { pair, site, browser }
})
try {
  const { pair, site, browser } = stage
  await mkdir(FOLDER, { recursive: true })
  await sleep(Number(process.argv[2] ?? 120) * 1000)
  const { page } = await browser.open((await site.run('page')).stdout.trim())
  for (const [size, viewport] of Object.entries(SIZES))
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme })
      for (const [view, path] of Object.entries(VIEWS)) {
        const chosen = view === 'connections' ? pair.cart.pod.containers.main.id.slice(0, 12) : ''
        await page.goto(new URL(path + chosen, page.url()).href)
        await page.locator('tbody tr').first().waitFor()
        await sleep(4000)
        await picture(page, `${view}-${size}-${colorScheme}`)
      }
    }
} finally {
  await stage.close()
}
