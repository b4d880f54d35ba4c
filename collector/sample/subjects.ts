/** The subjects of a window, with the tags of each. */

import { Group } from '../../wire/count/flow_sums.ts'
import type { Tags } from '../batch.ts'
import { ContainerGroup, type PodGroup } from '../fold/fold.ts'
import { processCalled, shortId } from '../fold/names.ts'
import { BEYOND, keyOf } from '../fold/owned.ts'
import type { Folded } from '../ingest/folded.ts'
import type { Profile } from '../metrics/catalogue.ts'
import type { FlowLevel, OwnedMetric } from '../metrics/metric.ts'
import type { ClusterNames } from './cluster/names.ts'
import { workloadsOf } from './cluster/workloads.ts'
import type { PodHosts } from './pod_hosts.ts'
import type { Family, Kind, SeriesTable, Subject } from './series.ts'

/** The subject of the overflow. */
export const OTHER = BEYOND

/** What is written only when it rises is remembered for a day: three windows of this many seconds. */
const RARE_S = 8 * 3600

/** Which containers and pods are to be written. */
export interface Wanted {
  container(id: string): boolean
  pod(uid: string): boolean
  /** And everything that is neither. */
  readonly rest: boolean
}

/** A subject's own, and those that follow from them and add no series; ntopng has none of these. */
type TagsOf = [own: Tags, more: Readonly<Record<string, string | undefined>>]

export interface Counted {
  readonly group: Group
  readonly subject: Subject
}

/** One window's subjects, by level. */
export class Subjects {
  /** Pods of one name in two namespaces that `profile: ntopng` had to merge. */
  mergedPods = 0
  readonly #window: Folded
  readonly #ifid: string | undefined
  readonly #profile: Profile
  readonly #table: SeriesTable
  readonly #podHosts: PodHosts
  readonly #cluster: ClusterNames
  readonly #families = new Map<string, Family>()

  /** @param ifid undefined for the collector's metrics of itself */
  constructor(
    window: Folded,
    ifid: string | undefined,
    profile: Profile,
    table: SeriesTable,
    podHosts: PodHosts,
    cluster: ClusterNames,
  ) {
    this.#window = window
    this.#ifid = ifid
    this.#profile = profile
    this.#table = table
    this.#podHosts = podHosts
    this.#cluster = cluster
  }

  /** @param maxProcesses the busiest have subjects of their own, the others one together */
  of(level: FlowLevel, wanted: Wanted, maxProcesses: number): readonly Counted[] {
    if (level === 'container') return this.#containers(wanted)
    if (level === 'pod') return this.#pods(wanted)
    if (!wanted.rest) return []
    if (level === 'workload') return this.#workloads()
    return level === 'host' ? [this.#host()] : this.#processes(maxProcesses)
  }

  /** The subject for the overflow of this level or measurement. */
  other(level: string, tags: Tags): Subject {
    return this.#subject('other', level, () => [tags, { host: this.#window.key.host }], 'other')
  }

  /** An owner with these values of the metric's dimensions. */
  owned({ name, dimensions, sparse }: OwnedMetric, owner: Subject, values: readonly string[]): Subject {
    const tags = (): Tags => ({ ...owner.tags, ...tagsFrom(dimensions, values) })
    const interval = sparse ? RARE_S : this.#window.interval
    return this.#table.subject(this.#family(name), keyOf([owner.key, ...values]), interval, tags)
  }

  /** @param tags by which it differs from the others of its host */
  flat(measurement: string, tags: Tags, isSparse = false): Subject {
    const kind = Object.keys(tags).length === 0 ? 'host' : 'one'
    const tagsOf = (): TagsOf => [{}, { host: this.#window.key.host, ...tags }]
    return this.#subject(measurement, keyOf(Object.values(tags)), tagsOf, kind, isSparse)
  }

  #containers({ container }: Wanted): Counted[] {
    const { fold, key } = this.#window
    const tagsOf = ({ id, name }: ContainerGroup): TagsOf => {
      const pod = this.#cluster.pod(fold, name.pod)
      const more = {
        host: key.host,
        container_name: name.name ?? this.#cluster.facts.containerName(id),
        pod: pod?.name,
        namespace: pod?.namespace,
        ...this.#cluster.tags(name.pod),
        ...labelTags({ ...this.#cluster.labels(name.pod), ...name.labels, ...pod?.labels }),
      }
      return [{ container: shortId(id) }, more]
    }
    return [...fold.containers.values()]
      .filter(({ id, name }) => !name.sandbox && container(id))
      .map(group => {
        const { id, name } = group
        const pod = this.#cluster.pod(fold, name.pod)
        const names = {
          ...{ pod: pod?.name, namespace: pod?.namespace },
          container_name: name.name ?? this.#cluster.facts.containerName(id),
          ...this.#cluster.tags(name.pod),
        }
        return { group, subject: this.#renamed('container', id, () => tagsOf(group), names) }
      })
  }

  #pods({ pod }: Wanted): Counted[] {
    const pods = [...this.#window.fold.pods().values()].filter(({ uid }) => pod(uid))
    const { host } = this.#window.key
    const tagsOf = ({ uid, name: { labels } }: PodGroup): TagsOf => {
      const { name, namespace } = this.#cluster.pod(this.#window.fold, uid) ?? { name: uid, namespace: '' }
      return [
        { pod: name },
        {
          namespace,
          host,
          ...this.#cluster.tags(uid),
          ...labelTags({ ...this.#cluster.labels(uid), ...labels }),
        },
      ]
    }
    return (this.#profile === 'ntopng' ? this.#merged(pods) : pods).map(group => {
      const { uid } = group
      const name = this.#cluster.pod(this.#window.fold, uid)
      // a pod without a name is called by its UID
      const names = {
        ...(name && { pod: name.name, namespace: name.namespace }),
        ...this.#cluster.tags(uid),
      }
      return { group, subject: this.#renamed('pod', uid, () => tagsOf(group), names) }
    })
  }

  #workloads(): Counted[] {
    const { fold, key } = this.#window
    return workloadsOf(fold, this.#cluster.facts).map(({ id, kind, name, namespace, group }) => {
      const more = { owner_kind: kind, namespace, host: key.host }
      return { group, subject: this.#subject('workload', id, () => [{ workload: name }, more]) }
    })
  }

  /** ntopng's tags name a pod by its name alone, so two of a name are one: on one host, their flows together. */
  #merged(pods: readonly PodGroup[]): PodGroup[] {
    const byName = new Map<string, PodGroup>()
    for (const pod of pods) {
      const other = byName.get(pod.name.name)
      if (other) {
        other.add(pod)
        this.mergedPods++
      } else byName.set(pod.name.name, pod)
    }
    const { key, time } = this.#window
    for (const name of byName.keys()) this.#podHosts.claim(`${this.#ifid} ${name}`, key.host, time)
    return [...byName.values()]
  }

  #host(): Counted {
    const { fold, key } = this.#window
    return { group: fold.host, subject: this.#subject('host', '', () => [{}, { host: key.host }], 'host') }
  }

  /** Processes of one name in one container are one. */
  #processes(most: number): Counted[] {
    const { fold, key } = this.#window
    const byName = new Map<string, { name: string; container: string | undefined; group: Group }>()
    for (const process of fold.processes?.byPid.values() ?? []) {
      const container = containerOf(process.owner)
      const name = processCalled(process.pid, process.comm, fold.processName(process.pid))
      const id = `${container ?? ''} ${name}`
      let named = byName.get(id)
      if (!named) {
        named = { name, container, group: new Group() }
        byName.set(id, named)
      }
      named.group.add(process)
    }
    const flowsOf = ({ client, server }: Group) => client.flows + server.flows
    const busiest = [...byName].sort(([, a], [, b]) => flowsOf(b.group) - flowsOf(a.group))
    const counted = busiest.slice(0, most).map(([id, { name, container, group }]) => ({
      group,
      subject: this.#subject('process', id, () => [
        { process: name },
        { container: container && shortId(container), host: key.host },
      ]),
    }))
    const rest = new Group()
    for (const [, { group }] of busiest.slice(most)) rest.add(group)
    if (busiest.length > most)
      counted.push({ group: rest, subject: this.other('process', { process: OTHER }) })
    return counted
  }

  /** A subject whose name has changed has new series from now on; a missing name is no change. */
  #renamed(
    level: string,
    id: string,
    tagsOf: () => TagsOf,
    names: Readonly<Record<string, string | undefined>>,
  ): Subject {
    const isIn = (tags: Tags) => {
      for (const tag in names) {
        const isWritten = this.#profile !== 'ntopng' || tags[tag] !== undefined
        if (isWritten && names[tag] && names[tag] !== tags[tag]) return false
      }
      return true
    }
    return this.#subject(level, id, tagsOf, 'one', false, isIn)
  }

  /** @param name unique for its level on its host */
  #subject(
    level: string,
    name: string,
    tagsOf: () => TagsOf,
    kind?: Kind,
    isSparse = false,
    isSame?: (tags: Tags) => boolean,
  ): Subject {
    const tags = (): Tags => {
      const [own, more] = tagsOf()
      const all = { ...(this.#ifid !== undefined && { ifid: this.#ifid }), ...own }
      if (this.#profile === 'ntopng') return all
      const named = Object.entries({ ...all, ...more })
      return Object.fromEntries(named.filter((tag): tag is [string, string] => Boolean(tag[1])))
    }
    const interval = isSparse ? RARE_S : this.#window.interval
    return this.#table.subject(this.#family(level), name, interval, tags, kind, isSame)
  }

  #family(level: string): Family {
    let family = this.#families.get(level)
    if (!family) {
      const { host } = this.#window.key
      const ifid = this.#ifid
      family = this.#table.family(`${ifid ?? ''} ${level} ${host}`, ifid === undefined ? undefined : host)
      this.#families.set(level, family)
    }
    return family
  }
}

/** The id of the container whose group it is. */
export const containerOf = (owner: Group): string | undefined =>
  owner instanceof ContainerGroup ? owner.id : undefined

const tagsFrom = (names: readonly string[], values: readonly string[]): Tags =>
  Object.fromEntries(names.flatMap((name, at) => (values[at] ? [[name, values[at]]] : [])))

const labelTags = (labels: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [`label_${key}`, value]))
