/** Two network namespaces and a wire between them: the load's servers in one, its clients in the other. */

import { loadBinary } from '../harness/binary.ts'
import { type Closable, closable } from '../harness/cleanup.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { type Child, run, start } from '../harness/process.ts'
import { veth } from '../harness/veth.ts'

/** The servers' address. */
export const ADDRESS = '10.9.0.1'

/** Paths of the namespaces. */
export interface Sides {
  readonly clients: string
  readonly servers: string
}

export interface Stage extends Sides {
  client(...words: string[]): Promise<Child>
  server(port: number, ...words: string[]): Promise<Child>
}

/** Off loopback a port is free again only after a minute in TIME_WAIT: churn would run out of them (ip-sysctl). */
const REUSE =
  'echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse; echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range'

export function stage(): Promise<Stage & Closable> {
  return closable(async cleanup => {
    const netns = async (name: string): Promise<string> => {
      const { path, close } = await createNetns(name)
      cleanup.defer(close)
      return path
    }
    const [clients, servers] = [await netns('clients'), await netns('servers')]
    await veth(servers, [`${ADDRESS}/24`], clients, ['10.9.0.2/24'])
    await run(inNetns(clients, ['sh', '-c', REUSE]))
    const load = async (side: string, ...words: string[]): Promise<Child> => {
      const child = start(inNetns(side, [await loadBinary(), ...words]))
      cleanup.defer(() => child.close())
      return child
    }
    return {
      clients,
      servers,
      client: (...words) => load(clients, 'client', ...words, '--timed'),
      async server(port, ...words) {
        const server = await load(servers, 'server', ADDRESS, String(port), ...words)
        await server.line(/listening/)
        return server
      },
    }
  })
}
