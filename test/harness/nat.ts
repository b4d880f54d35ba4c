/**
 * A client, a router and a server, a network namespace each. The router forwards, and changes addresses by port: 9100 goes to
 * one of the server's three addresses, 9200 comes from the router, 9300 both; in IPv4 and in IPv6.
 */

import { type Closable, closable } from './cleanup.ts'
import { createNetns, inNetns } from './netns.ts'
import { run } from './process.ts'

export const PORT = 9000
export const DNAT = 9100
export const MASQUERADE = 9200
export const BOTH = 9300

export interface Nat {
  readonly client: string
  readonly router: string
  readonly server: string
  /** Of the server. */
  readonly v4: readonly string[]
  readonly v6: readonly string[]
  /** Of nobody: the router sends what is for them to the server. */
  readonly virtual: readonly [v4: string, v6: string]
  /** The router drops so many of a thousand packets from now on. */
  lose(permille: number): Promise<void>
}

const V4 = ['10.77.2.2', '10.77.2.3', '10.77.2.4']
const V6 = ['fd77:2::2', 'fd77:2::3', 'fd77:2::4']
const VIRTUAL = ['10.96.0.10', 'fd96::10'] as const

export function openNat(): Promise<Nat & Closable> {
  return closable(async cleanup => {
    const [client, router, server] = (await Promise.all(
      ['client', 'router', 'server'].map(async name => {
        const netns = await createNetns(name)
        cleanup.defer(() => netns.close())
        return netns.path
      }),
    )) as [string, string, string]
    const at = (netns: string, ...command: string[]) => run(inNetns(netns, command))
    const sysctl = (netns: string, ...settings: string[]) => at(netns, 'sysctl', '-qw', ...settings)
    for (const [netns, near, far] of [
      [client, 'c0', 'r0'],
      [server, 's0', 'r1'],
    ] as const) {
      await at(router, 'ip', 'link', 'add', far, 'type', 'veth', 'peer', 'name', near, 'netns', netns)
      await at(netns, 'ip', 'link', 'set', near, 'up')
      await at(router, 'ip', 'link', 'set', far, 'up')
    }
    const add = (netns: string, device: string, address: string) =>
      at(netns, 'ip', 'address', 'add', address, 'dev', device, ...(address.includes(':') ? ['nodad'] : []))
    await add(client, 'c0', '10.77.1.2/24')
    await add(client, 'c0', 'fd77:1::2/64')
    await add(router, 'r0', '10.77.1.1/24')
    await add(router, 'r0', 'fd77:1::1/64')
    await add(router, 'r1', '10.77.2.1/24')
    await add(router, 'r1', 'fd77:2::1/64')
    for (const address of V4) await add(server, 's0', `${address}/24`)
    for (const address of V6) await add(server, 's0', `${address}/64`)
    await sysctl(router, 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')
    for (const [netns, net] of [
      [client, 1],
      [server, 2],
    ] as const) {
      await at(netns, 'ip', 'route', 'add', 'default', 'via', `10.77.${net}.1`)
      await at(netns, 'ip', '-6', 'route', 'add', 'default', 'via', `fd77:${net}::1`)
      await sysctl(netns, 'net.core.somaxconn=4096', 'net.ipv4.tcp_max_syn_backlog=4096')
    }
    for (const [tables, virtual, backends, own] of [
      ['iptables', VIRTUAL[0], V4, '10.77.1.1'],
      ['ip6tables', VIRTUAL[1], V6, 'fd77:1::1'],
    ] as const) {
      const rule = (...words: string[]) => at(router, tables, '-t', 'nat', '-A', ...words)
      for (const [port, address] of [
        [DNAT, virtual],
        [BOTH, own],
      ] as const)
        for (const [index, backend] of backends.entries()) {
          const share = [
            '-m',
            'statistic',
            '--mode',
            'nth',
            '--every',
            String(backends.length - index),
            '--packet',
            '0',
          ]
          const to = backend.includes(':') ? `[${backend}]:${PORT}` : `${backend}:${PORT}`
          const match = ['-p', 'tcp', '-d', address, '--dport', String(port)]
          await rule('PREROUTING', ...match, ...share, '-j', 'DNAT', '--to-destination', to)
        }
      const masquerade = ['-j', 'MASQUERADE', '--random-fully']
      await rule('POSTROUTING', '-p', 'tcp', '--dport', String(MASQUERADE), ...masquerade)
      const original = ['-m', 'conntrack', '--ctorigdstport', String(BOTH)]
      await rule('POSTROUTING', '-p', 'tcp', ...original, ...masquerade)
    }
    return {
      ...{ client, router, server, v4: V4, v6: V6, virtual: VIRTUAL },
      async lose(permille) {
        for (const tables of ['iptables', 'ip6tables']) {
          await at(router, tables, '-F', 'FORWARD')
          const share = ['-m', 'statistic', '--mode', 'random', '--probability', String(permille / 1000)]
          if (permille > 0) await at(router, tables, '-A', 'FORWARD', ...share, '-j', 'DROP')
        }
      },
    }
  })
}
