/** The probe's kernel side: what is loaded, attached, and how it is read. Knows the names in `bpf/`, nothing of windows. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BpfError, type BpfObject, bootTime, type Layout, type Link, open, type Rings } from 'bcc-bindings'
import { explainLoad } from './doctor/explain.ts'
import type { Clock } from './window.ts'

/** `enum lost` in `bpf/lost.bpf.h`, in its order. */
const LOST = ['slot', 'storage', 'tcp_flow_ring', 'cgroup_path_ring', 'free_slot'] as const

export interface KernelOptions {
  /** Flows that can be open at once; 232 bytes of kernel memory each. */
  readonly maxFlows: number
  /** Bytes of the ring of closed flows, a power of two. */
  readonly ringBytes: number
}

/** What one run of the report pass met. */
export interface Pass {
  /** Slots whose close record was on its way. */
  closing: number
  /** Flows found dead that no CLOSE was seen of. */
  missed: number
}

const REPORT_PAGE_FULL = 2

/** From the source tree and from `dist/` alike: the object lies in the project's `build/`. */
export function objectPath(): string {
  for (const up of ['..', '../..']) {
    const path = join(import.meta.dirname, up, 'build/bpf/probe.bpf.o')
    if (existsSync(path)) return path
  }
  throw new Error('build/bpf/probe.bpf.o is missing: run `make build`')
}

export const kernelClock: Clock = {
  bootNs: bootTime,
  wallNs: () => BigInt(Date.now()) * 1_000_000n, // not performance.now(): it does not follow a clock that is set
}

export class Kernel {
  readonly tcpFlow: Layout
  readonly cgroupPath: Layout
  readonly #object: BpfObject
  readonly #links: Link[] = []
  readonly #rings: Rings
  readonly #page: Buffer
  readonly #lost: Buffer

  /** @throws with the doctor's sentence, or BpfError with the verifier's log; nothing is left behind then */
  constructor(options: KernelOptions, onRecords: (ring: string, records: Buffer) => void) {
    this.#object = open(objectPath())
    try {
      this.#object.setGlobal('max_flows', options.maxFlows)
      this.#object.setGlobal('tcp_flow_wake_bytes', options.ringBytes / 2)
      this.#object.resizeMap('tcp_slot', options.maxFlows)
      this.#object.resizeMap('tcp_flow', options.ringBytes)
      this.#object.load()
      this.tcpFlow = this.#object.layout('tcp_flow')
      this.cgroupPath = this.#object.layout('cgroup_path')
      this.#page = this.#object.map('tcp_flow_page').view()
      this.#lost = this.#object.map('lost').view()
      // rows first: the kernel has sent their names before them, so these are in their ring by then
      this.#rings = this.#object.rings(['tcp_flow', 'cgroup_path'], onRecords)
      this.#links.push(this.#object.attach('tcp_flow_state'))
    } catch (error) {
      this.#object.close()
      const sentence = error instanceof BpfError ? explainLoad(error) : undefined
      throw sentence === undefined ? error : new Error(sentence, { cause: error })
    }
  }

  /** Sockets that existed before the hooks were attached; listeners first, because they tell the role of the others. */
  async scan(): Promise<void> {
    await this.#object.iterate('tcp_listener_scan')
    await this.#object.iterate('tcp_flow_scan')
  }

  /** The state of every flow that was open at `endNs`, in Buffers of whole rows that are the caller's to keep. */
  async *report(endNs: bigint, pass: Pass): AsyncGenerator<Buffer> {
    const layout = this.#object.layout('tcp_flow_report')
    const at = (name: string) => layout.fields.find(field => field.name === name)!.offset
    const context = Buffer.alloc(layout.size)
    context.writeBigUInt64LE(endNs, at('end_ns'))
    let result: number
    do {
      context.writeUInt32LE(0, at('rows'))
      result = await this.#object.run('tcp_flow_report', context)
      const rows = context.readUInt32LE(at('rows'))
      if (rows > 0) yield Buffer.from(this.#page.subarray(0, rows * this.tcpFlow.size))
    } while (result === REPORT_PAGE_FULL)
    if (result !== 0) throw new Error(`tcp_flow_report returned ${result}`)
    pass.closing = context.readUInt32LE(at('closing'))
    pass.missed = context.readUInt32LE(at('missed'))
  }

  /** Read what the rings hold now. */
  drain(): void {
    this.#rings.drain()
  }

  /** What the kernel side had no room for, by reason, since the start. */
  lost(): Record<string, number> {
    const counts: Record<string, number> = {}
    LOST.forEach((reason, index) => {
      const count = Number(this.#lost.readBigUInt64LE(index * 8))
      if (count > 0) counts[`kernel/${reason}`] = count
    })
    if (this.#rings.badRecords > 0) counts['kernel/bad_record'] = this.#rings.badRecords
    return counts
  }

  close(): void {
    for (const link of this.#links) link.detach()
    this.#object.close()
  }
}
