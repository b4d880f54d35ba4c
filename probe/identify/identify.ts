/** Who is this? From the cgroup of a row to its container and pod. */

import { type Layout, textOf, viewOf } from '../wire/layout.ts'
import type { ContainerName, PodName, Who, WindowWho } from '../wire/message.ts'
import type { Bundle, Bundles } from './bundle.ts'
import { namesOf } from './path.ts'

/** Names outlive their container so long: its last rows are still to come. */
const KEEP_MS = 5 * 60_000
/** Cgroups remembered; the kernel forgets its own list at 16,384 and sends a name again then. */
const MOST_CGROUPS = 32_768

interface Cgroup {
  readonly key: string
  /** Undefined: it is in no container. */
  readonly container: string | undefined
}

interface Container {
  readonly name: ContainerName
  readonly pod?: { readonly uid: string; readonly name: PodName }
  /** Whether names were found, so that nobody needs to look again. */
  readonly named: boolean
  seenMs: number
}

/** Reads `hierarchy:cgroup` of records. */
class CgroupKeys {
  readonly size: number
  readonly #cgroup: number
  readonly #hierarchy: number

  constructor(layout: Layout) {
    const at = (name: string) => layout.fields.find(field => field.name === name)!.offset
    this.size = layout.size
    this.#cgroup = at('cgroup')
    this.#hierarchy = at('hierarchy')
  }

  /** The distinct keys of the rows. Neighbours are mostly alike, so a row like the one before costs three loads. */
  of(rows: Buffer): Set<string> {
    const view = viewOf(rows)
    const keys = new Set<string>()
    let low = -1
    let high = -1
    let hierarchy = -1
    for (let at = 0; at < rows.length; at += this.size) {
      const l = view.getUint32(at + this.#cgroup, true)
      const h = view.getUint32(at + this.#cgroup + 4, true)
      const root = view.getUint32(at + this.#hierarchy, true)
      if (l === low && h === high && root === hierarchy) continue
      low = l
      high = h
      hierarchy = root
      keys.add(this.key(view, at))
    }
    return keys
  }

  key(view: DataView, at: number): string {
    return `${view.getUint32(at + this.#hierarchy, true)}:${view.getBigUint64(at + this.#cgroup, true)}`
  }
}

export class Identifier {
  /** Rows' cgroups whose names never came: they count for the host. */
  unknownCgroups = 0
  readonly #bundles: Bundles
  readonly #rowKeys: CgroupKeys
  readonly #pathKeys: CgroupKeys
  readonly #pathNames: (rows: Buffer, at: number) => string[]
  readonly #now: () => number
  readonly #cgroups = new Map<string, Cgroup>()
  readonly #containers = new Map<string, Container>()

  /** @param now milliseconds that only rise */
  constructor(
    tcpFlow: Layout,
    cgroupPath: Layout,
    bundles: Bundles,
    now: () => number = () => performance.now(),
  ) {
    this.#bundles = bundles
    this.#rowKeys = new CgroupKeys(tcpFlow)
    this.#pathKeys = new CgroupKeys(cgroupPath)
    this.#pathNames = nameReader(cgroupPath)
    this.#now = now
  }

  /** Records of `cgroup_path`: learn what they name, and its container's names while they are still on disk. */
  learn(records: Buffer): void {
    const view = viewOf(records)
    for (let at = 0; at < records.length; at += this.#pathKeys.size) {
      const key = this.#pathKeys.key(view, at)
      const names = namesOf(this.#pathNames(records, at))
      this.#cgroups.delete(key) // to the end: the oldest are forgotten first
      this.#cgroups.set(key, { key, container: names?.container })
      if (names) this.#container(names.container, names.runtime, names.pod)
    }
    for (const key of this.#cgroups.keys()) {
      if (this.#cgroups.size <= MOST_CGROUPS) break
      this.#cgroups.delete(key)
    }
  }

  /** The names of what these rows refer to. */
  who(rows: Buffer): Who {
    const cgroups: Record<string, string> = {}
    const ids = new Set<string>()
    for (const key of this.#rowKeys.of(rows)) {
      const cgroup = this.#cgroups.get(key)
      if (!cgroup) this.unknownCgroups++
      if (!cgroup?.container) continue
      cgroups[key] = cgroup.container
      ids.add(cgroup.container)
    }
    return { cgroups, ...this.#names(ids) }
  }

  /** All containers that run now, with their names: what ends a window. */
  running(): WindowWho {
    const bundles = this.#bundles.running()
    for (const bundle of bundles) this.#container(bundle.id, 'containerd', undefined)
    this.#forget()
    const ids = bundles.map(bundle => bundle.id)
    return { cgroups: {}, ...this.#names(ids), running: ids }
  }

  #names(ids: Iterable<string>): Pick<Who, 'containers' | 'pods'> {
    const containers: Record<string, ContainerName> = {}
    const pods: Record<string, PodName> = {}
    for (const id of ids) {
      const container = this.#container(id, 'cri', undefined)
      containers[id] = container.name
      if (container.pod) pods[container.pod.uid] = container.pod.name
    }
    return { containers, pods }
  }

  #container(id: string, runtime: string, pod: string | undefined): Container {
    const known = this.#containers.get(id)
    const now = this.#now()
    if (known) known.seenMs = now
    if (known?.named) return known
    const bundle = this.#bundles.find(id)
    if (known && !bundle) return known
    const container = bundle ? named(bundle, now) : unnamed(known?.name.runtime ?? runtime, pod, now)
    this.#containers.set(id, container)
    return container
  }

  #forget(): void {
    const old = this.#now() - KEEP_MS
    for (const [id, { seenMs }] of this.#containers) if (seenMs < old) this.#containers.delete(id)
  }
}

const unnamed = (runtime: string, pod: string | undefined, seenMs: number): Container => ({
  name: { runtime, ...(pod && { pod }) },
  named: false,
  seenMs,
})

function named(bundle: Bundle, seenMs: number): Container {
  const { name, image, pod, sandbox } = bundle
  return {
    name: {
      runtime: 'containerd',
      ...(name && { name }),
      ...(image && { image }),
      ...(pod && { pod: pod.uid }),
      ...(sandbox && { sandbox }),
    },
    ...(pod && { pod: { uid: pod.uid, name: { name: pod.name, namespace: pod.namespace } } }),
    named: true,
    seenMs,
  }
}

/** The names in a `cgroup_path`, leaf first. */
function nameReader(layout: Layout): (rows: Buffer, at: number) => string[] {
  const readers = layout.fields
    .filter(field => field.typedef === 'cgroup_name_t')
    .map(field => textOf(layout, field.name))
  return (rows, at) => readers.map(read => read(rows, at)).filter(name => name !== '')
}
