/** What goes wrong in a timer would end the program; without a free descriptor much goes wrong. It is said, and done next time. */

import type { ThrottledLog } from './throttled_log.ts'

export function every(ms: number, what: string, log: ThrottledLog, work: () => void): NodeJS.Timeout {
  return setInterval(() => {
    try {
      work()
    } catch (error) {
      log.warn(what, `${what} failed (${(error as Error).message}); it is done again in ${ms / 1000} s`)
    }
  }, ms)
}

let lastRss = 0

/** Memory of this process. To read it takes a descriptor: without one it is as it was. */
export function rssBytes(): number {
  try {
    lastRss = process.memoryUsage.rss()
  } catch {
    // the next window tells
  }
  return lastRss
}
