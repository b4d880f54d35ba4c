import { isIPv6 } from 'node:net'
import { inNetns } from './netns.ts'
import { run } from './process.ts'

/**
 * Joins two network namespaces by a pair of devices, `veth` in both; it goes with either namespace. Each end has
 * the addresses of its list, one list as long as the other, as `ip address` takes them: `10.9.0.1/24`.
 */
export async function veth(nsA: string, addressesA: string[], nsB: string, addressesB: string[]) {
  await run(inNetns(nsA, ['ip', 'link', 'add', 'veth', 'type', 'veth', 'peer', 'name', 'veth', 'netns', nsB]))
  for (const [netns, addresses] of [
    [nsA, addressesA],
    [nsB, addressesB],
  ] as const) {
    const ip = (...words: string[]) => run(inNetns(netns, ['ip', ...words]))
    await ip('link', 'set', 'veth', 'up')
    for (const address of addresses)
      await ip('address', 'add', address, 'dev', 'veth', ...(isIPv6(address.split('/')[0]!) ? ['nodad'] : []))
  }
}
