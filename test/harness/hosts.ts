/**
 * Several hosts on one machine: a network namespace each. A probe sees the whole kernel; here each host's flow rows are those of
 * its namespace, with windows of their own that end at one time.
 */

import { statSync } from 'node:fs'
import { bootTime } from 'bcc-bindings'
import type { Flows } from '../../collector/flows/flows.ts'
import { Fold } from '../../collector/fold/fold.ts'
import { kernelClock } from '../../probe/kernel/clock.ts'
import type { Kernel } from '../../probe/kernel/kernel.ts'
import { Reader } from '../../probe/read/read.ts'
import type { Rows } from '../../wire/layout.ts'
import type { WindowNames } from '../../wire/message.ts'
import { byNetns } from './by_netns.ts'
import type { Closable } from './cleanup.ts'
import { kernelWith } from './watch.ts'

const SECOND = 1

export class Hosts implements Closable {
  readonly #kernel: Kernel
  readonly #reader: Reader
  readonly #reading: Promise<void>
  readonly #flows: Flows
  /** By the inode of its namespace. */
  readonly #names = new Map<number, string>()
  readonly #cgroups: WindowNames
  /** End of the last window, CLOCK_BOOTTIME. */
  #endedNs = 0n
  #sequence = 0

  private constructor(
    kernel: Kernel,
    reader: Reader,
    flows: Flows,
    namespaces: Readonly<Record<string, string>>,
    names: WindowNames,
  ) {
    this.#kernel = kernel
    this.#reader = reader
    this.#flows = flows
    this.#cgroups = names
    for (const [host, path] of Object.entries(namespaces)) this.#names.set(statSync(path).ino, host)
    this.#reading = this.#read()
  }

  /** @param namespaces by host; what is in none of them is on no host */
  static async start(
    flows: Flows,
    namespaces: Readonly<Record<string, string>>,
    names: WindowNames,
  ): Promise<Hosts> {
    const kernel = kernelWith({}, (ring, records) => {
      if (ring !== 'cgroup_path' && ring !== 'process') reader.take(ring, records)
    })
    const reader = new Reader(kernel, kernelClock, SECOND)
    await kernel.scan()
    return new Hosts(kernel, reader, flows, namespaces, names)
  }

  /** The window that runs now has ended. */
  async windowEnd(): Promise<void> {
    const now = bootTime()
    while (this.#endedNs <= now) await new Promise(resolve => setTimeout(resolve, 20))
  }

  async close(): Promise<void> {
    this.#reader.stop()
    await this.#reading
    this.#kernel.close()
  }

  async #read(): Promise<void> {
    for await (const { window, rows } of this.#reader.read()) {
      if (rows) {
        this.#take(rows, window.index)
        continue
      }
      for (const host of this.#names.values()) {
        const fold = new Fold()
        fold.end({ ...this.#cgroups, running: Object.keys(this.#cgroups.containers) })
        const common = { partial: false, complete: true, lost: {}, interval: SECOND, fold }
        const offsetMs = Number(window.clockOffsetNs) / 1e6
        this.#flows.end(
          { key: keyOf(host, window.index), time: window.time, offsetMs, ...common },
          '0',
          () => {},
        )
      }
      this.#endedNs = window.endNs
    }
  }

  #take(rows: Rows, window: number): void {
    for (const [netns, { layout, bytes }] of byNetns(rows)) {
      const host = this.#names.get(netns)
      if (host === undefined) continue
      const head = { ...keyOf(host, window), sequence: this.#sequence++, start_ns: '0', lost: {} }
      this.#flows.take(head, layout, bytes, this.#cgroups)
    }
  }
}

const keyOf = (host: string, window: number) => ({ host, boot: `boot of ${host}`, probe: 'p', window })
