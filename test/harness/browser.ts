/** A real headless Chromium, and what a page in it did that it must not do. */

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type Closable, closable } from './cleanup.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface How extends BrowserContextOptions {
  /** A script that runs before those of the page. */
  readonly init?: string
}

export interface Opened {
  readonly page: Page
  /** Errors of scripts and of the console, and requests that went elsewhere. */
  readonly faults: string[]
}

export const openBrowser = (): Promise<{ open(link: string, how?: How): Promise<Opened> } & Closable> =>
  closable(async cleanup => {
    const browser = await start()
    cleanup.defer(() => browser.close())
    return { open: (link: string, how: How = {}) => open(browser, link, how) }
  })

/** Without its sandbox: the tests run as root. */
const start = (): Promise<Browser> =>
  chromium.launch({ executablePath: pathOf('chromium'), args: ['--no-sandbox', '--disable-dev-shm-usage'] })

const pathOf = (command: string): string =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map(folder => join(folder, command))
    .find(path => existsSync(path)) ?? command

async function open(browser: Browser, link: string, { init, ...how }: How): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...how })
  const page = await context.newPage()
  if (init !== undefined) await page.addInitScript(init)
  const faults: string[] = []
  page.on('console', message => {
    const { url } = message.location()
    // the icon is the browser's own question: it may come before the session
    if (message.type() === 'error' && !/\/(icon\.svg|favicon\.ico)$/.test(url))
      faults.push(`console: ${message.text()} ${url}`)
  })
  page.on('response', answer => {
    if (answer.status() >= 400) faults.push(`${answer.status()}: ${answer.url()}`)
  })
  page.on('pageerror', error => faults.push(`script: ${error.stack ?? error.message}`))
  page.on('request', request => {
    const isOurs = new URL(request.url()).origin === new URL(link).origin
    if (!isOurs && !request.url().startsWith('blob:')) faults.push(`request: ${request.url()}`)
  })
  await page.goto(link)
  await page.waitForURL(({ search }) => !search.includes('token='))
  return { page, faults }
}

/** What axe-core finds that keeps people out: rule and where. */
export async function barriers(page: Page): Promise<string[]> {
  // not by a script element, which the page's own policy refuses
  await page.evaluate(AXE)
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
    return (await axe.run()).violations
  })
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}
