import { isIPv6 } from 'node:net'
import { delaydBinary } from './binary.ts'
import { type Closable, closable } from './cleanup.ts'
import { inNetns } from './netns.ts'
import { run, start } from './process.ts'

export interface LinkOptions {
  /** Paths of the two network namespaces, such as `/proc/PID/ns/net`. */
  nsA: string
  nsB: string
  /** One address for each end, IPv4 or IPv6; they may be addresses that the namespaces have already. */
  addrA: string
  addrB: string
  rttMs: number
  /** Loses every Nth packet of each direction. */
  dropEvery?: number
  /** Every Nth packet of each direction overtakes the one before it, if that still waits. */
  swapEvery?: number
}

export interface Packets {
  seen: number
  forwarded: number
  dropped: number
  /** Lost because the delay queue was full. */
  overflowed: number
}

export interface Link extends Closable {
  /** The packets from A to B and those from B to A so far. */
  packets(): Promise<[Packets, Packets]>
}

let links = 0

/** Joins two network namespaces by a wire of its own (a TUN pair) with this round-trip time. */
export function link({
  nsA,
  nsB,
  addrA,
  addrB,
  rttMs,
  dropEvery = 0,
  swapEvery = 0,
}: LinkOptions): Promise<Link> {
  return closable(async cleanup => {
    const device = `wire${process.pid}n${++links}` // IFNAMSIZ: at most 15 characters
    const oneWayUs = String(Math.round(rttMs * 500))
    const every = [dropEvery, swapEvery].map(String)
    const daemon = start([await delaydBinary(), nsA, nsB, device, oneWayUs, ...every])
    cleanup.defer(() => daemon.close())
    await daemon.line(/^ready/)
    await address(nsA, device, addrA, addrB)
    await address(nsB, device, addrB, addrA)
    const packets = async () => {
      daemon.write('counters')
      return JSON.parse(await daemon.line(/^\[/)) as [Packets, Packets]
    }
    return { packets }
  })
}

// A peer route goes before the subnet's, so that even an address on a common bridge takes the wire.
// `addrgenmode none` and `nodad`: no packet but those of the test.
async function address(netns: string, device: string, local: string, peer: string): Promise<void> {
  const ip = (...words: string[]) => run(inNetns(netns, ['ip', ...words]))
  await ip('link', 'set', device, 'addrgenmode', 'none', 'txqueuelen', '10000', 'up')
  const nodad = isIPv6(local) ? ['nodad'] : []
  await ip('address', 'add', local, 'peer', peer, 'dev', device, ...nodad)
}
