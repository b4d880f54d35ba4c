/** The probe's kernel side: what is loaded, attached, and how it is read. Knows the names in `bpf/`, nothing of windows. */

import { closeSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  BpfError,
  type BpfObject,
  type Entries,
  type Layout,
  type Link,
  mountCgroup2,
  open,
  type ProgramStats,
  type Rings,
} from 'bcc-bindings'
import type { Rows } from '../../wire/layout.ts'
import type { Flows, Pass } from '../signals/flows.ts'
import { HOOKS, type Hooks, hooksOf } from '../signals/hooks.ts'
import { cgroup2In } from './cgroup.ts'
import { explainLoad } from './explain.ts'
import { isGone, networkNamespaces } from './netns.ts'
import { roomForSums } from './sums.ts'

/** `enum lost` in `bpf/lost.bpf.h`, in its order. */
const LOST = [
  'slot',
  'storage',
  'tcp_flow_ring',
  'cgroup_path_ring',
  'free_slot',
  'process_ring',
  'tcp_total',
  'evicted_udp',
  'udp_slot',
  'udp_flow_ring',
  'udp_header',
] as const

export interface KernelOptions {
  /** TCP connections that can be open at once; 296 bytes of kernel memory each. */
  readonly maxFlows: number
  /** UDP conversations that are remembered at once; 312 bytes of kernel memory each. */
  readonly maxUdpFlows: number
  /** Bytes of the ring of closed flows, a power of two. */
  readonly ringBytes: number
  readonly udp: boolean
  /** Every RTT sample, or only the kernel's smoothed ones. */
  readonly rttSamples: boolean
}

const REPORT_PAGE_FULL = 2
const NETNS_SCANS = new Set(['tcp_socket_scan', 'tcp_rtt_scan'])

/** From the source tree and from `dist/` alike: the object lies in the project's `build/`. */
export function objectPath(): string {
  for (const up of ['../..', '../../..']) {
    const path = join(import.meta.dirname, up, 'build/bpf/probe.bpf.o')
    if (existsSync(path)) return path
  }
  throw new Error('build/bpf/probe.bpf.o is missing: run `make build`')
}

const sentenceOf = (error: BpfError): string => explainLoad(error) ?? error.message

export class Kernel {
  readonly flows: readonly Flows[]
  readonly cgroupPath: Layout
  readonly process: Layout
  /** Hooks that this kernel or its configuration does not allow, and why: the rest goes on. */
  readonly missing = new Map<Hooks, string>()
  readonly #object: BpfObject
  readonly #links: Link[] = []
  /** Of those that see one network namespace at a time. */
  readonly #scans: Set<string>
  readonly #rings: Rings
  readonly #pages = new Map<string, Buffer>()
  readonly #lost: Buffer
  /** The window that sums count their range in. */
  readonly #window: Buffer

  /** @throws with the doctor's sentence, or BpfError with the verifier's log; nothing is left behind then */
  constructor(options: KernelOptions, onRecords: (ring: string, records: Buffer) => void) {
    this.#object = this.#load(options)
    try {
      this.#attach(options)
      const layout = (name: string) => this.#object.layout(name)
      this.flows = [
        { layout: layout('tcp_flow'), update: layout('tcp_update'), tellsClose: true },
        ...(options.udp && this.#has('udp') ? [{ layout: layout('udp_flow'), tellsClose: false }] : []),
      ]
      const wanted = HOOKS.filter(hooks => this.#wants(options, hooks))
      this.#scans = new Set(wanted.flatMap(({ programs }) => programs.filter(name => NETNS_SCANS.has(name))))
      this.cgroupPath = layout('cgroup_path')
      this.process = layout('process')
      const names = this.flows.map(({ layout }) => layout.name)
      for (const { layout, update } of this.flows)
        for (const { name } of update ? [layout, update] : [layout])
          this.#pages.set(name, this.#object.map(`${name}_page`).view())
      this.#lost = this.#object.map('lost').view()
      this.#window = this.#object.map('.data.window').view()
      // rows first: the kernel has sent their names before them, so these are in their ring by then
      this.#rings = this.#object.rings([...names, 'cgroup_path', 'process'], onRecords)
    } catch (error) {
      this.#object.close()
      throw explained(error)
    }
  }

  /**
   * Sockets that existed before the hooks were attached; listeners first, because they tell the role of the others.
   * @param proc where procfs is mounted
   */
  async scan(proc = '/proc'): Promise<void> {
    await this.#object.iterate('listener_scan')
    await this.#object.iterate('tcp_flow_scan')
    for (const netns of networkNamespaces(proc))
      for (const program of this.#scans)
        await this.#object.iterate(program, { netns }).catch((error: unknown) => {
          if (error instanceof BpfError && error.code === 'EPERM') this.#refuse(program)
          else if (!isGone(error)) throw error
        })
  }

  /** The state of every flow that was open at `endNs`: whole rows, which the next step overwrites. */
  async *report({ layout: flow, update }: Flows, endNs: bigint, pass: Pass): AsyncGenerator<Rows> {
    const layout = this.#object.layout('report')
    const at = (name: string) => layout.fields.find(field => field.name === name)!.offset
    const context = Buffer.alloc(layout.size)
    context.writeBigUInt64LE(endNs, at('end_ns'))
    let result: number
    do {
      context.fill(0, at('rows'), at('updates') + 4)
      result = await this.#object.run(`${flow.name}_report`, context)
      yield* this.#page(flow, context.readUInt32LE(at('rows')))
      if (update) yield* this.#page(update, context.readUInt32LE(at('updates')))
    } while (result === REPORT_PAGE_FULL)
    if (result !== 0) throw new Error(`${flow.name}_report returned ${result}`)
    pass.closing += context.readUInt32LE(at('closing'))
    pass.missed += context.readUInt32LE(at('missed'))
    pass.guessed += context.readUInt32LE(at('guessed'))
  }

  /** What the programs cost so far, while kernel.bpf_stats_enabled is 1. */
  stats(): readonly ProgramStats[] {
    return this.#object.programStats()
  }

  /** Read what the rings hold now. */
  drain(): void {
    this.#rings.drain()
  }

  /** The sums of all cgroups since they were first seen, one per CPU; see `probe/read/totals.ts`. */
  totals(): Entries {
    this.#window.writeUInt32LE((this.#window.readUInt32LE(0) + 1) >>> 0, 0)
    return this.#object.map('tcp_total').entries()
  }

  forgetTotals(key: Buffer): void {
    this.#object.map('tcp_total').delete(key)
  }

  layout(name: string): Layout {
    return this.#object.layout(name)
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

  *#page(layout: Flows['layout'], rows: number): Generator<Rows> {
    if (rows > 0) yield { layout, bytes: this.#pages.get(layout.name)!.subarray(0, rows * layout.size) }
  }

  /** Entering another network namespace needs CAP_SYS_ADMIN. */
  #refuse(program: string): void {
    this.#scans.delete(program)
    const hooks = hooksOf(program)
    if (hooks) this.missing.set(hooks, 'other network namespaces need CAP_SYS_ADMIN')
  }

  #has(name: Hooks['name']): boolean {
    return ![...this.missing.keys()].some(hooks => hooks.name === name)
  }

  #wants(options: KernelOptions, { name }: Hooks): boolean {
    const hasRtt = options.rttSamples && this.#has('rtt')
    return this.#has(name) && (options.udp || name !== 'udp') && (hasRtt || !/rtt$/.test(name))
  }

  /** Again without the hooks that are refused, until the rest is loaded. */
  #load(options: KernelOptions): BpfObject {
    for (;;) {
      const object = open(objectPath())
      try {
        object.setGlobal('max_tcp_flows', options.maxFlows)
        object.setGlobal('max_udp_flows', options.maxUdpFlows)
        object.setGlobal('tcp_flow_wake_bytes', options.ringBytes / 2)
        object.resizeMap('tcp_slot', options.maxFlows)
        object.resizeMap('tcp_flow', options.ringBytes)
        object.resizeMap('tcp_total', roomForSums(object.layout('tcp_total_sums')))
        const udpFlows = options.udp && this.#has('udp') ? options.maxUdpFlows : 1
        object.resizeMap('udp_slot', udpFlows)
        object.resizeMap('udp_conversation', udpFlows)
        for (const hooks of HOOKS)
          for (const program of hooks.programs) object.setAutoload(program, this.#wants(options, hooks))
        object.load()
        return object
      } catch (error) {
        object.close()
        if (!(error instanceof BpfError)) throw error
        const program = refusedProgram(error)
        const hooks = program === undefined ? undefined : hooksOf(program)
        if (hooks?.without && !this.missing.has(hooks)) this.missing.set(hooks, sentenceOf(error))
        else throw explained(error)
      }
    }
  }

  #attach(options: KernelOptions): void {
    const mounted = cgroup2In({ root: '/' })
    const cgroup = mounted ?? mountOwn()
    const sections = new Map(this.#object.programs.map(({ name, section }) => [name, section]))
    for (const hooks of HOOKS.filter(hooks => this.#wants(options, hooks))) {
      const links: Link[] = []
      try {
        for (const program of hooks.programs) {
          const section = sections.get(program) ?? ''
          if (/^(iter\/|syscall)/.test(section)) continue
          const target = /^(cgroup|sockops)/.test(section) && cgroup !== undefined ? { cgroup } : {}
          links.push(this.#object.attach(program, target))
        }
        this.#links.push(...links)
      } catch (error) {
        for (const link of links) link.detach()
        if (!(error instanceof BpfError) || !hooks.without) throw error
        this.missing.set(hooks, sentenceOf(error))
      }
    }
    if (typeof cgroup === 'number') closeSync(cgroup)
  }
}

/** The root of cgroup2 where none is mounted; undefined where that is not allowed. */
function mountOwn(): number | undefined {
  try {
    return mountCgroup2()
  } catch (error) {
    if (error instanceof BpfError) return undefined
    throw error
  }
}

const refusedProgram = ({ message, log = '' }: BpfError): string | undefined =>
  /prog '(\w+)': failed/.exec(log)?.[1] ?? /prog '(\w+)'/.exec(message)?.[1]

function explained(error: unknown): unknown {
  const sentence = error instanceof BpfError ? explainLoad(error) : undefined
  return sentence === undefined ? error : new Error(sentence, { cause: error })
}
