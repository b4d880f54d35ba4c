/** Servers of one cluster, each with a third of nothing but its own data, and a site that is tied to it by a leaf. */

import type { Cleanup } from './cleanup.ts'
import { type NatsServer, startNats } from './nats.ts'
import { freePort } from './sockflux.ts'

export interface Cluster {
  readonly servers: readonly NatsServer[]
  /** `nats://a+b+c`. */
  readonly endpoint: string
  /** Where leaf nodes connect to: the first server's. */
  readonly leaf: number
}

export async function startCluster(cleanup: Cleanup, count: number): Promise<Cluster> {
  const ports = await Promise.all(
    Array.from({ length: count }, () => [freePort(), freePort(), freePort()]).map(three =>
      Promise.all(three),
    ),
  )
  const routes = ports.map(([, route]) => `"nats://127.0.0.1:${route}"`).join(', ')
  const servers = await Promise.all(
    ports.map(([port = 0, route, leaf], index) =>
      startNats(cleanup, {
        name: `n${index}`,
        ports: [port, 0],
        more: `cluster { name: "c", listen: "127.0.0.1:${route}", routes: [${routes}] }
leafnodes { listen: "127.0.0.1:${leaf}" }`,
      }),
    ),
  )
  const endpoint = `nats://${servers.map(({ url }) => url.slice('nats://'.length)).join('+')}`
  return { servers, endpoint, leaf: ports[0]![2]! }
}
