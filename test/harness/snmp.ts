import { inNetns } from './netns.ts'
import { run } from './process.ts'

/** The kernel's own counters of TCP in a network namespace, by the names of RFC 4022 without `tcp`. */
export async function tcpCounters(netns: string): Promise<Record<string, number>> {
  const [names = [], values = []] = (await run(inNetns(netns, ['cat', '/proc/net/snmp'])))
    .split('\n')
    .filter(line => line.startsWith('Tcp:'))
    .map(line => line.split(' ').slice(1))
  return Object.fromEntries(names.map((name, index) => [name, Number(values[index])]))
}

/** Connections that were opened in these network namespaces, by either end. */
export async function opens(...namespaces: string[]): Promise<number> {
  const counters = await Promise.all(namespaces.map(tcpCounters))
  return counters.reduce((total, { ActiveOpens, PassiveOpens }) => total + ActiveOpens! + PassiveOpens!, 0)
}
