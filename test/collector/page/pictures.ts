/**
 * The page in a real browser while the pods of a shop talk: docs/images/page-*.webp.
 *
 *     node test/collector/page/pictures.ts [seconds]
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { startPair } from '../../e2e/pair.ts'
import { openBrowser } from '../../harness/browser.ts'
import { closable } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'
import { freePort, openSite } from '../../harness/sockflux.ts'
import { openShop } from './shop.ts'

const FOLDER = join(import.meta.dirname, '../../../docs/images')
const GROUPS = 'flows,rtt,rtt_dist,traffic,tcp,connect,process,host,stats'
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }
const VIEWS = {
  containers: './?namespace=shop',
  map: './?namespace=shop&view=map',
  flows: './?namespace=shop&view=flows&to=service',
  nodes: './?namespace=shop&view=nodes',
  connections: './?view=connections&container=',
}
/** Those that the documents show. */
const PICTURES: readonly [view: keyof typeof VIEWS, size: keyof typeof SIZES, colours: 'light' | 'dark'][] = [
  ['containers', 'wide', 'light'],
  ['map', 'wide', 'dark'],
  ['flows', 'wide', 'light'],
  ['nodes', 'wide', 'dark'],
  ['containers', 'phone', 'dark'],
  ['map', 'phone', 'light'],
  ['connections', 'phone', 'dark'],
]
const QUALITY = 80

async function picture(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  await writeFile(join(FOLDER, `page-${name}.webp`), Buffer.from(data, 'base64'))
  if (process.env['PNG']) await page.screenshot({ path: join(process.env['PNG'], `page-${name}.png`) })
}

const stage = await closable(async cleanup => {
  const pair = await startPair({ rttMs: 4, dropEvery: 400, namespace: 'shop' })
  cleanup.defer(() => pair.close())
  const manifests = await scratch(cleanup, 'manifests')
  await openShop(pair, manifests)
  const site = await openSite()
  cleanup.defer(() => site.close())
  await site.collector([
    '--http',
    `127.0.0.1:${await freePort()}`,
    '--metrics',
    GROUPS,
    '--cluster-from',
    manifests,
  ])
  await site.probe(['--containerd-state', pair.node.containerd.stateDir, '--host', 'node-1'])
  const browser = await openBrowser()
  cleanup.defer(() => browser.close())
  return { pair, site, browser }
})
try {
  const { pair, site, browser } = stage
  await mkdir(FOLDER, { recursive: true })
  await sleep(Number(process.argv[2] ?? 120) * 1000)
  const { page } = await browser.open((await site.run('page')).stdout.trim())
  for (const [view, size, colorScheme] of PICTURES) {
    await page.setViewportSize(SIZES[size])
    await page.emulateMedia({ colorScheme })
    const chosen = view === 'connections' ? pair.cart.pod.containers.main.id.slice(0, 12) : ''
    await page.goto(new URL(VIEWS[view] + chosen, page.url()).href)
    await page.locator('tbody tr').first().waitFor()
    await sleep(view === 'flows' ? 30_000 : 4000) // the busiest are drawn from the moment on
    await picture(page, `${view}-${size}-${colorScheme}`)
  }
} finally {
  await stage.close()
}
