/** An error in a timer would end the program, and without a free descriptor many calls fail. It is logged, and the timer goes on. */

import type { ThrottledLog } from './throttled_log.ts'

type Log = Pick<ThrottledLog, 'warn'>

export function every(ms: number, what: string, log: Log, work: () => void): NodeJS.Timeout {
  return setInterval(() => {
    try {
      work()
    } catch (error) {
      log.warn(what, `${what} failed (${(error as Error).message}); next try in ${ms / 1000} s`)
    }
  }, ms)
}

let lastRss = 0

/** Memory of this process. Reading it needs a descriptor; without one the last value is returned. */
export function rssBytes(): number {
  try {
    lastRss = process.memoryUsage.rss()
  } catch {
    // read again in the next window
  }
  return lastRss
}
