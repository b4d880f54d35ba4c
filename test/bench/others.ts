/** How others learn which sockets there are and whose. */

import { inNetns } from '../harness/netns.ts'
import { run } from '../harness/process.ts'
import { childSeconds } from './cpu.ts'
import type { Sides } from './stage.ts'

const shell = (script: string): string[] => ['sh', '-c', script]
const CONNECTIONS = "await (await import('systeminformation')).networkConnections()"

/** Each of them once, in text; what shows one namespace runs in both. */
export async function others({ clients, servers }: Sides): Promise<string> {
  const inBoth = (command: string[]) => [clients, servers].map(netns => inNetns(netns, command))
  const commands = {
    'ss -tinp': inBoth(shell('ss -tinp >/dev/null')),
    'a scan of /proc': [
      ...inBoth(shell('cat /proc/net/tcp /proc/net/tcp6 >/dev/null')),
      shell('ls -l /proc/[0-9]*/fd >/dev/null 2>&1; true'),
    ],
    systeminformation: inBoth([process.execPath, '--input-type=module', '-e', CONNECTIONS]),
  }
  const costs: string[] = []
  for (const [name, parts] of Object.entries(commands)) {
    const before = childSeconds()
    for (const part of parts) await run(part, 120_000)
    costs.push(`${name} ${((childSeconds() - before) * 1000).toFixed(0)} ms`)
  }
  return costs.join(', ')
}
