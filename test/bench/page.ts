/** The page with many containers and flows: how long its longest task keeps the browser from answering. */

import type { Page } from 'playwright-core'
import { openBrowser } from '../harness/browser.ts'
import { closable } from '../harness/cleanup.ts'
import { openSite } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { Hosts } from './simulated.ts'

/** Counts what took longer than 50 ms: https://www.w3.org/TR/longtasks-1/ */
const OBSERVE = `globalThis.longest = 0
new PerformanceObserver(list => {
  for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration)
}).observe({ type: 'longtask', buffered: true })`
const longest = (page: Page): Promise<number> => page.evaluate('globalThis.longest')
const WINDOWS = 3

export interface PageLoad {
  readonly containers: number
  readonly flows: number
}

/** What somebody does who looks for something. */
const STEPS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  'opened, with windows that come in': page => rows(page),
  'sorted by another column, and back': async page => {
    for (const title of ['Sent', 'Container', 'Flows']) await page.click(`th button:text-is("${title}")`)
  },
  'filtered, letter by letter': async page => {
    await page.locator('#filter-text').pressSequentially('main')
    await page.fill('#filter-text', '')
  },
  'the map': async page => {
    await page.click('nav a[data-view=map]')
    await rows(page)
  },
  connections: async page => {
    await page.click('nav a[data-view=connections]')
    await rows(page)
  },
  'health and processes': async page => {
    for (const view of ['health', 'processes']) await page.click(`nav a[data-view=${view}]`)
  },
}
const rows = (page: Page) => page.locator('tbody tr').nth(0).waitFor()

export async function benchPage(load: PageLoad = { containers: 1000, flows: 10_000 }): Promise<string[][]> {
  const { containers, flows } = load
  const bench = await closable(async cleanup => {
    const site = await openSite()
    cleanup.defer(() => site.close())
    await site.collector(['--http', '127.0.0.1:0'])
    const hosts = new Hosts(site.endpoint, 1, { containers, rows: flows })
    cleanup.defer(async () => hosts.close())
    const browser = await openBrowser()
    cleanup.defer(() => browser.close())
    return { lines: await measure(await site.run('page'), hosts, browser) }
  })
  await bench.close()
  const name = `${containers.toLocaleString('en')} containers, ${flows.toLocaleString('en')} flows`
  return bench.lines.map(([step, ms]) => [
    `${name}: ${step}`,
    ms < 50 ? 'no task of 50 ms' : `longest task ${Math.round(ms)} ms`,
  ])
}

async function measure(
  { stdout }: { stdout: string },
  hosts: Hosts,
  browser: Awaited<ReturnType<typeof openBrowser>>,
): Promise<[string, number][]> {
  await hosts.window()
  const { page, faults } = await browser.open(stdout.trim(), { init: OBSERVE })
  const lines: [string, number][] = []
  for (const [step, work] of Object.entries(STEPS)) {
    await page.evaluate('globalThis.longest = 0')
    for (let window = 0; window < WINDOWS; window++) await hosts.window()
    await work(page)
    await until('a quiet page', () =>
      page.evaluate<boolean>('new Promise(quiet => requestIdleCallback(() => quiet(true)))'),
    )
    lines.push([step, await longest(page)])
  }
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return lines
}
