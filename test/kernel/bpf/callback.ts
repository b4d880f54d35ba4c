/** The kernel's callbacks to sockops programs, read by a program of the tests' own, beside the probe's. */

import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { mountCgroup2, open } from 'bcc-bindings'
import { numberOf, type Rows, viewOf } from '../../../wire/layout.ts'
import { built } from '../../harness/binary.ts'
import { type Closable, closable } from '../../harness/cleanup.ts'
import { run } from '../../harness/process.ts'
import { netnsOf } from '../../harness/watch.ts'

/** linux/bpf.h */
export const RTT_CB = 12
export const STATE_CB = 10
export const RETRANS_CB_FLAG = 2
export const STATE_CB_FLAG = 4
export const RTT_CB_FLAG = 8

/** `struct callback` in `callback.bpf.c`. */
export type Callback = Readonly<
  Record<'netns' | 'op' | 'arg' | 'flags' | 'local_port' | 'remote_port', number>
>

export interface Callbacks extends Closable {
  /** From now on those of sockets in this network namespace. */
  watch(netns: string): void
  /** What came so far does not count. */
  forget(): void
  /** What came so far. */
  in(netns: string): Callback[]
  /** The RTT samples so far of a network namespace, in microseconds. */
  samples(netns: string, where?: (callback: Callback) => boolean): number[]
}

const folder = import.meta.dirname

/** @param ownFlags callbacks that the program asks for itself, as another one might */
export function readCallbacks({ ownFlags = 0 } = {}): Promise<Callbacks> {
  return closable(async cleanup => {
    const sources = ['callback.bpf.c', '../../../probe/bpf/kernel.h'].map(file => join(folder, file))
    const machine = (await run(['uname', '-m'])).trim()
    const target = ['-target', 'bpf', '-mcpu=v3', `-I/usr/include/${machine}-linux-gnu`]
    const path = await built('callback.bpf.o', sources, output =>
      run(['clang', '-O2', '-g', '-Wall', '-Werror', ...target, '-c', sources[0]!, '-o', output]),
    )
    const object = open(path)
    cleanup.defer(() => object.close())
    object.setGlobal('own_flags', ownFlags)
    object.load()
    const read: Callback[] = []
    const layout = object.layout('callback')
    const take = (_: string, bytes: Buffer) => read.push(...(decoded({ layout, bytes }) as Callback[]))
    const rings = object.rings(['callbacks'], take)
    const root = mountCgroup2()
    cleanup.defer(() => closeSync(root))
    object.attach('on_callback', { cgroup: root })
    const wanted = object.map('wanted')
    const lost = object.map('.bss').view()
    const watch = (netns: string) => {
      wanted.set(Buffer.from(Uint32Array.of(netnsOf(netns)).buffer), Buffer.alloc(4))
    }
    const forget = () => {
      rings.drain()
      read.length = 0
    }
    const inside = (netns: string) => {
      rings.drain()
      if (lost.readBigUInt64LE(0) > 0n) throw new Error('callbacks were lost: the ring is too small')
      const inode = netnsOf(netns)
      return read.filter(callback => callback.netns === inode)
    }
    const samples = (netns: string, where: (callback: Callback) => boolean = () => true) =>
      inside(netns)
        .filter(callback => callback.op === RTT_CB && where(callback))
        .map(({ arg }) => arg)
    return { watch, forget, in: inside, samples }
  })
}

/** Rows as objects of their numbers. */
export function decoded({ layout, bytes }: Rows): Record<string, number>[] {
  const view = viewOf(bytes)
  const numbers = layout.fields
    .filter(({ type }) => type !== 'bytes')
    .map(({ name }) => [name, numberOf(layout, name)] as const)
  return Array.from({ length: bytes.length / layout.size }, (_, index) =>
    Object.fromEntries(numbers.map(([name, read]) => [name, read(view, index * layout.size)])),
  )
}
