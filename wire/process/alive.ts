/** A file whose time says that the program is alive, for a check in a container, where no service manager asks. */

import { writeFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { every } from './guarded.ts'
import { ThrottledLog } from './throttled_log.ts'

const PERIOD_MS = 5000

/**
 * Writes the file again and again as long as the program goes on.
 * @param fault what does not go on, or undefined
 */
export function keepAlive(path: string, fault: () => string | undefined, log: Logger): void {
  const throttled = new ThrottledLog(log)
  const write = () => {
    const found = fault()
    if (found !== undefined) {
      throttled.warn('alive', `${found}; ${path} grows old until it goes on`)
      return
    }
    try {
      writeFileSync(path, '')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throttled.warn('alive', `${path} cannot be written (${code}): correct alive_file; a check of it fails`)
    }
  }
  write()
  every(PERIOD_MS, 'the file of life', throttled, write).unref()
}
