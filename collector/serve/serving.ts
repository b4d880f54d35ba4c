/** Everything that is answered: on the unix socket, and over TCP where a sink has pages. */

import { dirname } from 'node:path'
import { makeDirectory } from '../directory.ts'
import type { Address, Pages, Routes } from '../routes.ts'
import { healthPages } from './pages.ts'
import { type Serving, serve, serveHttp } from './server.ts'

interface Web {
  readonly address: Address
  readonly pages: Pages
}

/**
 * @param unready why it should be given nothing now; undefined when it is ready
 * @throws when another process answers there
 */
export async function serveAll(
  socket: string,
  routes: Routes,
  webs: readonly Web[],
  unready: () => string | undefined,
): Promise<Serving & { readonly url: string | undefined }> {
  makeDirectory(dirname(socket), '--socket')
  const server = await serve(socket, routes)
  const health = healthPages(unready)
  const served = await Promise.all(
    webs.map(({ address, pages }) => serveHttp(address, { ...pages, ...health })),
  )
  return {
    url: served[0]?.url,
    async close() {
      await Promise.all([server, ...served].map(one => one.close()))
    },
  }
}
