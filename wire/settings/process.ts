/** Settings of every program that runs for long. */

import { setting } from './settings.ts'
import { oneOf, text } from './types.ts'

export const processSettings = {
  aliveFile: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<file>',
    help: 'file that is written every five seconds as long as the program goes on; a liveness check of a container looks at its age',
  }),
  logLevel: setting({
    type: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    fallback: 'info',
    value: '<level>',
    help: 'log lines on standard error: debug, info, warn, error or silent',
  }),
}
