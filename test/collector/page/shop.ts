/** A shop for the pictures of the page: pods of three nodes, as its cluster has them, that talk to each other, to Services and outside. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { client, type Pair, serve } from '../../e2e/pair.ts'
import * as objects from '../../harness/kubernetes/objects.ts'
import { inNetns } from '../../harness/netns.ts'
import { type Container, IDLE, type Pod } from '../../harness/pod.ts'
import { run } from '../../harness/process.ts'

const NAMESPACE = 'shop'
const PORT = '80'
const SERVICES = { orders: '10.96.0.20', search: '10.96.0.21' } as const
const PODS = {
  'web-6b8f-4kq2z': 'node-1',
  'web-6b8f-t9x7c': 'node-2',
  'orders-77d5-m2v8d': 'node-2',
  'orders-77d5-zw6hp': 'node-3',
  'search-5c9b-8rjqs': 'node-3',
  'mail-7f44-x5n9b': 'node-1',
} as const
type Name = keyof typeof PODS
type Load = readonly [from: Name, to: Name | keyof typeof SERVICES, sockets: number, bytes: number]
const LOADS: readonly Load[] = [
  ['web-6b8f-4kq2z', 'orders', 6, 30_000],
  ['web-6b8f-t9x7c', 'orders', 4, 18_000],
  ['web-6b8f-4kq2z', 'search', 3, 12_000],
  ['web-6b8f-t9x7c', 'search', 5, 22_000],
  ['orders-77d5-m2v8d', 'mail-7f44-x5n9b', 2, 6000],
  ['orders-77d5-zw6hp', 'search-5c9b-8rjqs', 2, 9000],
]
const deploymentOf = (pod: string): string => pod.slice(0, pod.indexOf('-'))
const setOf = (pod: string): string => pod.slice(0, pod.lastIndexOf('-'))

/** Until the process ends. @param directory of manifests, for the facts of the cluster */
export async function openShop({ node, shop, cart }: Pair, directory: string): Promise<void> {
  const pods = new Map<string, Pod<'main'>>()
  for (const name of Object.keys(PODS)) {
    const pod = await node.runPod({
      name,
      namespace: NAMESPACE,
      containers: [{ name: 'main', command: IDLE }],
    })
    pods.set(name, pod)
    await serve(node, pod.containers.main, pod.ip, PORT)
  }
  const podsOf = (service: string) => [...pods.values()].filter(({ name }) => deploymentOf(name) === service)
  const sets = [...new Set([...pods.keys()].map(setOf))]
  const things = [
    ...[1, 2, 3].map(at => objects.node(`node-${at}`, `192.168.0.1${at}`)),
    ...sets.map(set => objects.owned('ReplicaSet', set, ['Deployment', deploymentOf(set)], NAMESPACE)),
    ...[...pods.values()].map(({ name, uid, ip }) =>
      objects.pod({
        ...{ name, uid, ip, namespace: NAMESPACE, node: PODS[name as Name] },
        owner: ['ReplicaSet', setOf(name)],
      }),
    ),
    ...[shop, cart].map(({ pod: { name, uid, ip } }, at) =>
      objects.pod({ name, uid, ip, namespace: NAMESPACE, node: `node-${at + 1}` }),
    ),
    ...Object.entries(SERVICES).flatMap(([name, address]) => {
      const ports = [{ name: 'http', port: Number(PORT) }]
      const ips = podsOf(name).map(({ ip }) => ip)
      return [
        objects.service(name, address, ports, {}, NAMESPACE),
        objects.slice(`${name}-x`, name, ips, ports, NAMESPACE),
      ]
    }),
  ]
  await writeFile(
    join(directory, 'shop.json'),
    JSON.stringify({ kind: 'List', apiVersion: 'v1', items: things }),
  )
  for (const pod of pods.values())
    for (const [service, address] of Object.entries(SERVICES)) await balance(pod, address, podsOf(service))
  for (const [from, to, sockets, bytes] of LOADS) {
    const address = to in SERVICES ? SERVICES[to as keyof typeof SERVICES] : pods.get(to)!.ip
    await talk(pods.get(from)!.containers.main, sockets, address, PORT, bytes)
  }

  await serve(node, cart.pod.containers.main, cart.address, PORT)
  await serve(node, cart.pod.containers.idle, cart.address, '6379')
  await serve(node, shop.pod.containers.main, shop.address, '8080')
  await talk(shop.pod.containers.main, 12, cart.address, PORT, 20_000)
  await talk(shop.pod.containers.idle, 3, cart.address, '6379', 2000)
  await talk(cart.pod.containers.main, 4, cart.address, '6379', 60_000)
  await talk(cart.pod.containers.idle, 2, shop.address, '8080', 800)

  async function talk(container: Container, sockets: number, address: string, port: string, bytes: number) {
    const load = client(node, container)
    await load.ask(`open ${sockets} ${address} ${port}`)
    void (async () => {
      for (;;) {
        await load.ask(`echo 1 ${Math.round(bytes * (0.5 + Math.random()))}`)
        await sleep(100 * Math.random())
      }
    })().catch(() => {})
  }
}

/** As kube-proxy does it: the address of a Service leads to one of its pods. */
async function balance({ netns }: Pod, address: string, to: readonly Pod[]): Promise<void> {
  for (const [at, { ip }] of to.entries()) {
    const every = ['-m', 'statistic', '--mode', 'nth', '--every', String(to.length - at), '--packet', '0']
    const rule = ['-t', 'nat', '-A', 'OUTPUT', '-p', 'tcp', '-d', address, '--dport', PORT]
    await run(
      inNetns(netns, ['iptables', ...rule, ...every, '-j', 'DNAT', '--to-destination', `${ip}:${PORT}`]),
    )
  }
}
