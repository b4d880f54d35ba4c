/** `sockflux page`: a link that opens the collector's page once; and the link that `sockflux run` shows. */

import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { collectorSettings } from '../collector/options.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { ask, print } from './client.ts'

const { socket } = collectorSettings
const PORT = 9470
/** A link that was used is replaced after so long. */
const AGAIN_MS = 1000

export function addPage(program: Command): void {
  const command = program
    .command('page')
    .description("a link that opens the collector's page in a browser, once and within 15 minutes")
  addFlags(command, 'collector', { socket })
  command.action(async flags => {
    const values = readSettings(collectorSettings, 'collector', flags, process.env)
    await print(process.stdout, `${await linkOf(values.socket)}\n`)
  })
}

/** @throws with the collector's sentence when it serves no page */
async function linkOf(path: string): Promise<string> {
  const { status, body } = await ask(path, 'GET', '/page')
  const { url, error } = JSON.parse(body) as { url?: string; error?: string }
  if (status !== 200 || url === undefined) throw new Error(error ?? `the collector answered ${status}`)
  return url
}

/** Where `sockflux run` serves it: the usual port, or any if that is taken. */
export async function pageAddress(): Promise<string> {
  const server = createServer().listen(PORT, '127.0.0.1')
  const isFree = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.close()
  return `127.0.0.1:${isFree ? PORT : 0}`
}

/** The link of now, as a line; a used one is replaced. */
export class PageLink {
  lines: readonly string[] = []

  /** Until it is stopped. */
  async follow(path: string, stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      await linkOf(path).then(
        url => {
          this.lines = [`page, opens once: ${url}`]
        },
        () => {
          this.lines = [] // it serves none, or is about to end
        },
      )
      await sleep(AGAIN_MS, undefined, { signal: stopped }).catch(() => {})
    }
  }
}
