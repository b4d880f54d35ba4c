/** Health pages over HTTP, for the service manager that starts and restarts the collector. */

import type { Pages } from '../routes.ts'

/** @param unready why it should be given nothing now; undefined when it is ready */
export function healthPages(unready: () => string | undefined): Pages {
  return {
    '/healthz': () => ({ body: 'ok\n' }),
    '/readyz': () => {
      const reason = unready()
      return reason === undefined ? { body: 'ready\n' } : { status: 503, body: `${reason}\n` }
    },
  }
}
