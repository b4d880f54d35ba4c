/** Windows of one second on the wall clock, named as their samples are: by their end, in seconds since the epoch. */

import { setTimeout as sleep } from 'node:timers/promises'

/** The window that a moment lies in. */
export const windowAt = (ms: number): number => Math.floor(ms / 1000) + 1

export const windowNow = (): number => windowAt(Date.now())

const leftMs = (): number => 1000 - (Date.now() % 1000)

/** So far into the next window, which is what it returns. */
export async function intoWindow(ms: number): Promise<number> {
  await sleep(leftMs() + ms)
  return windowNow()
}

/** The first moments of the next window, so that what follows most likely lies in it as a whole. */
export const earlyInWindow = (): Promise<number> => intoWindow(50)

/** Right before the end of a window: what follows crosses it. */
export async function lateInWindow(): Promise<void> {
  const wait = leftMs() - 50
  await sleep(wait > 0 ? wait : wait + 1000)
}
