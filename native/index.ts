import { loadAddon, type NativeObject, type NativeRings } from './addon.ts'
import { BpfError } from './error.ts'
import type { Entries, Layout, MapInfo, Program, ProgramStats, Target } from './shapes.ts'

export type * from './shapes.ts'
export { BpfError }

const addon = loadAddon()
addon.init(BpfError)
// A job of a program that always returns "again" would keep the process from ending.
process.once('exit', () => addon.stop())

/** Reads an object file; nothing is loaded yet. */
export function open(path: string): BpfObject {
  return new BpfObject(path)
}

/** CLOCK_BOOTTIME in nanoseconds, the clock of bpf_ktime_get_boot_ns(). */
export function bootTime(): bigint {
  return addon.bootTime()
}

/** A tick of the kernel in nanoseconds, 1 s / CONFIG_HZ: the unit of what it counts in jiffies. */
export function tickTime(): bigint {
  return addon.tickTime()
}

/**
 * A descriptor of the root of the cgroup2 hierarchy, mounted in no directory: it ends with the
 * descriptor, even after SIGKILL. Its files are under `/proc/self/fd/<fd>/`; fs.closeSync() ends it. Needs
 * CAP_SYS_ADMIN.
 */
export function mountCgroup2(): number {
  return addon.mountCgroup2()
}

/**
 * Takes all capabilities but these from every thread of this process, for ever: permitted, effective, inheritable and
 * ambient ones, and with CAP_SETPCAP the bounding set. No program that it starts gets any back (no_new_privs).
 * @param kept bits of linux/capability.h, such as `1n << 39n` for CAP_BPF
 * @throws BpfError if a thread still has others: then this process should end
 */
export function keepCapabilities(kept: bigint): void {
  addon.keepCapabilities(kept)
}

/**
 * Sends a datagram to a unix socket, which Node.js cannot: sd_notify(3) is one. Never waits.
 * @param path `@name` is in the abstract name space
 * @throws BpfError: EAGAIN while the receiver has no room, ECONNREFUSED without one
 */
export function sendDatagram(path: string, text: string): void {
  addon.sendDatagram(path, text)
}

/** An object file, from open() to close(). Keep a reference: its links end with it. */
export class BpfObject {
  readonly #native: NativeObject
  readonly #maps = new Map<string, BpfMap>()
  readonly #rings = new Set<Rings>()
  readonly #made = new Set<string>()

  constructor(path: string) {
    this.#native = new addon.Object(path)
  }

  get programs(): readonly Program[] {
    return this.#native.programs()
  }

  get maps(): readonly MapInfo[] {
    return this.#native.maps()
  }

  /** Before load(): give a `const volatile` number its value. A value that does not fit is ERANGE. */
  setGlobal(name: string, value: number | bigint | boolean): void {
    this.#native.setGlobal(name, BigInt(value))
  }

  /** Before load(). */
  resizeMap(name: string, maxEntries: number): void {
    this.#native.resizeMap(name, maxEntries)
  }

  /** Before load(): leave a program out, or include one whose section (`SEC("?...")`) leaves it out. */
  setAutoload(program: string, on: boolean): void {
    this.#native.setAutoload(program, on)
  }

  /** Creates the maps and loads the programs. Once: after a failure open the file again. */
  load(): void {
    this.#native.load()
  }

  /** Attaches a program as its section describes. */
  attach(program: string, target: Target = {}): Link {
    const id = this.#native.attach(program, target.cgroup, target.map, target.first ?? false)
    return new Link(() => this.#native.detach(id))
  }

  /**
   * Run an iterator to its end on a worker thread: all that it wrote with bpf_seq_write(). A program that
   * returns 1 ends one read(2); the next goes on with the same element, and the output of that call is
   * dropped. `chunk` is the most bytes of one read; the kernel gives no more than 32 KiB. An iterator
   * over sockets sees one network namespace: that of the file `netns`, such as `/proc/PID/ns/net`, or ours.
   */
  async iterate(
    program: string,
    { map, chunk = 32_768, netns }: { map?: string; chunk?: number; netns?: string } = {},
  ): Promise<Buffer> {
    return this.#native.iterate(program, map, chunk, netns)
  }

  /**
   * Run a `SEC("syscall")` program on a worker thread, its context in and out. It is run again as long as
   * it returns 1; the first other return value comes back, as int32. Do not use `context` meanwhile.
   */
  async run(program: string, context: Buffer): Promise<number> {
    return this.#native.run(program, context)
  }

  /**
   * Read ring buffer maps as they fill. `onRecords` gets one Buffer per ring and wake-up, its records back
   * to back, valid until it returns or calls drain(). They keep the process alive until closed.
   */
  rings(names: readonly string[], onRecords: (ring: string, records: Buffer) => void): Rings {
    const native = new addon.Rings(this.#native, names, (ring, batch, used) =>
      onRecords(ring, batch.subarray(0, used)),
    )
    const rings = new Rings(native, () => this.#rings.delete(rings))
    this.#rings.add(rings)
    return rings
  }

  /** `.bss`, `.data` and `.rodata` are maps, too. The same BpfMap for the same name. */
  map(name: string): BpfMap {
    const map = this.#maps.get(name) ?? new BpfMap(this.#native, name)
    this.#maps.set(name, map)
    return map
  }

  /**
   * Make maps for places of an array of maps, as the object describes them, on a worker thread. Programs see each at once;
   * the promise waits until none runs that began before.
   * @param entries of each, when another number than the object's is wanted: hash tables only
   * @param as a name for the only one, to look into it with map()
   * @returns how many: fewer than `count` when there was no memory for more; none is a BpfError
   */
  async growMap(
    array: string,
    {
      first = 0,
      count = 1,
      entries,
      as,
    }: { first?: number; count?: number; entries?: number; as?: string } = {},
  ): Promise<number> {
    const made = await this.#native.growMap(array, first, count, entries, as)
    if (as !== undefined) this.#made.add(as)
    return made
  }

  /** Whether growMap() has made a map of this name. */
  hasMade(name: string): boolean {
    return this.#made.has(name)
  }

  /** The layout of a struct, from the object's own BTF: no kernel needed. */
  layout(struct: string): Layout {
    return this.#native.layout(struct)
  }

  /** The values of an enum by name, in the order of the source; from the object's own BTF. */
  enumerators(name: string): Readonly<Record<string, number>> {
    return this.#native.enumerators(name)
  }

  /** The costs of the loaded programs so far. */
  programStats(): readonly ProgramStats[] {
    return this.#native.programStats()
  }

  /**
   * Ends everything: rings, links, views, and the object after its last job. A running job is rejected with
   * ECANCELED after its current pass, unless that was the last. May be called again.
   */
  close(): void {
    for (const rings of this.#rings) rings.close()
    for (const map of this.#maps.values()) map.close()
    this.#maps.clear()
    this.#native.close()
  }
}

/** An attached program. */
export class Link {
  readonly #detach: () => void

  constructor(detach: () => void) {
    this.#detach = detach
  }

  /** May be called again, and after the object's close(). */
  detach(): void {
    this.#detach()
  }
}

/** Ring buffers and their reader. */
export class Rings {
  readonly #native: NativeRings
  readonly #forget: () => void

  constructor(native: NativeRings, forget: () => void) {
    this.#native = native
    this.#forget = forget
  }

  /** Records that had another size than the first one of their ring; they are not delivered. */
  get badRecords(): number {
    return this.#native.badRecords()
  }

  /** Consumes now: calls onRecords, then returns the number of records. */
  drain(): number {
    return this.#native.drain()
  }

  /** Ends the delivery of records. May be called again. */
  close(): void {
    this.#native.close()
    this.#forget()
  }
}

/** A map of a loaded object. Keys and values are the raw bytes. */
export class BpfMap {
  readonly #native: NativeObject
  readonly #name: string
  #view: Buffer | undefined

  constructor(native: NativeObject, name: string) {
    native.mapInfo(name)
    this.#native = native
    this.#name = name
  }

  get info(): MapInfo {
    return this.#native.mapInfo(this.#name)
  }

  /**
   * The memory of a BPF_F_MMAPABLE array (.bss and .data are such, too), not a copy; value i starts at
   * i × valueSize rounded up to 8. After close() it has length 0.
   */
  view(): Buffer {
    this.#view ??= this.#native.mapView(this.#name)
    return this.#view
  }

  /** Per-CPU maps have one value per possible CPU, each rounded up to 8 bytes; so for set(). */
  get(key: Buffer): Buffer | undefined {
    return this.#native.mapGet(this.#name, key)
  }

  /** Insert or replace. */
  set(key: Buffer, value: Buffer): void {
    this.#native.mapSet(this.#name, key, value)
  }

  /** @returns whether the key existed */
  delete(key: Buffer): boolean {
    return this.#native.mapDelete(this.#name, key)
  }

  /** All entries, a few thousand per bpf(2) call if the map type has batches. A map that changes meanwhile may return one twice. */
  entries(): Entries {
    return this.#native.mapEntries(this.#name)
  }

  /** The object's close() does this. */
  close(): void {
    if (this.#view) addon.detachBuffer(this.#view.buffer)
    this.#view = undefined
  }
}
