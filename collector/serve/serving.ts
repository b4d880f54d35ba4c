/** Everything that is answered: on the unix socket, and over TCP where a sink has pages. */

import { dirname } from 'node:path'
import { makeDirectory } from '../directory.ts'
import type { Routes, Web } from '../routes.ts'
import { healthPages } from './pages.ts'
import { type Serving, serve, serveHttp } from './server.ts'

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
    together(webs).map(async ({ address, pages, ...more }) => {
      const server = await serveHttp(address, { ...pages, ...(pages && health) }, more)
      more.listens?.(server.url)
      return server
    }),
  )
  return {
    url: served[0]?.url,
    async close() {
      await Promise.all([server, ...served].map(one => one.close()))
    },
  }
}

/** One server for each address; port 0 is another one each time. */
function together(webs: readonly Web[]): Web[] {
  const byAddress = Map.groupBy(webs, web => {
    const { host, port } = web.address
    return port === 0 ? web : `${host} ${port}`
  })
  return [...byAddress.values()].map(same => Object.assign({}, ...same) as Web)
}
