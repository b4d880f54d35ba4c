/** From a window's totals to samples: the metric tables applied, with the tags of each subject. */

import type { Fold, Group, PodGroup, Totals } from './fold.ts'
import type { Folded } from './ingest.ts'
import type { Metric } from './metrics/metric.ts'
import { tcpMetrics } from './metrics/tcp.ts'
import type { Batch, Measurement, Sample, Tags } from './sample.ts'

/** `ntopng`: exactly the measurements and tags that ntopng writes, for its dashboards and queries. */
export type Profile = 'sockflux' | 'ntopng'

/** Which containers and pods are to be written. */
interface Wanted {
  container(id: string): boolean
  pod(uid: string): boolean
  readonly host: boolean
}

/** Containers whose tags are remembered; a container's tags never change, so that it stays one series. */
const MOST_TAGS = 100_000

/** Of a 64-digit id, what people and ntopng use. */
export const shortId = (id: string): string => (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id)

interface Subject {
  readonly group: Group
  readonly tags: Tags
  /** Running containers, where the subject has such. */
  readonly containers?: number
}

export class Sampler {
  /** Pods of one name in two namespaces that `profile: ntopng` had to merge. */
  mergedPods = 0
  readonly #profile: Profile
  readonly #metrics: readonly { metric: Metric; measurement: Measurement }[]
  readonly #tags = new Map<string, Tags>()

  constructor(profile: Profile) {
    this.#profile = profile
    this.#metrics = tcpMetrics
      .filter(metric => profile !== 'ntopng' || metric.ntopng)
      .map(metric => ({ metric, measurement: { name: metric.name, fields: metric.fields } }))
  }

  /**
   * Everything that has its name; the rest is for sampleLate.
   * @param ifid of the endpoint that the window came in by
   */
  sample(window: Folded, ifid: string): Batch {
    const { containers, pods } = window.fold.waiting()
    const wanted = {
      container: (id: string) => !containers.has(id),
      pod: (uid: string) => !pods.has(uid),
      host: true,
    }
    return this.#sample(window, ifid, wanted)
  }

  /** What sample left out, by the names that have come since; its time is that of its own window. */
  sampleLate(window: Folded, ifid: string, later: Fold): Batch {
    const { containers, pods } = window.fold.waiting()
    const written = new Set([...window.fold.pods().keys()].filter(uid => !pods.has(uid)))
    window.fold.rename(later)
    const wanted = {
      container: (id: string) => containers.has(id),
      pod: (uid: string) => !written.has(uid),
      host: false,
    }
    const batch = this.#sample(window, ifid, wanted)
    return { ...batch, id: { ...batch.id, part: 'late' } }
  }

  #sample(window: Folded, ifid: string, wanted: Wanted): Batch {
    const subjects = {
      container: this.#containers(window, ifid, wanted),
      pod: this.#pods(window, ifid, wanted),
      host: wanted.host ? [{ group: window.fold.host, tags: this.#host(window, ifid) }] : [],
    }
    const samples: Sample[] = []
    for (const { metric, measurement } of this.#metrics)
      for (const subject of subjects[metric.level]) {
        const values = valuesOf(metric, subject)
        if (values.some(value => value !== undefined))
          samples.push({ measurement, tags: subject.tags, values })
      }
    return { id: window.key, time: window.time, samples }
  }

  #containers({ fold, key }: Folded, ifid: string, wanted: Wanted): Subject[] {
    const subjects: Subject[] = []
    for (const container of fold.containers.values()) {
      const { id, name } = container
      if (name.sandbox || !wanted.container(id)) continue
      const pod = name.pod === undefined ? undefined : fold.podName(name.pod)
      const tags = this.#keep(
        `${ifid} container ${id} ${key.host}`,
        { ifid, container: shortId(id) },
        {
          host: key.host,
          container_name: name.name,
          pod: pod?.name,
          namespace: pod?.namespace,
          ...labelTags({ ...name.labels, ...pod?.labels }),
        },
      )
      subjects.push({ group: container, tags })
    }
    return subjects
  }

  #pods({ fold, key }: Folded, ifid: string, wanted: Wanted): Subject[] {
    const pods = [...fold.pods().values()].filter(({ uid }) => wanted.pod(uid))
    const subjectOf = (pod: PodGroup): Subject => ({
      group: pod,
      containers: pod.containers,
      tags: this.#keep(
        `${ifid} pod ${pod.uid} ${key.host}`,
        { ifid, pod: pod.name.name },
        { namespace: pod.name.namespace, host: key.host, ...labelTags(pod.name.labels) },
      ),
    })
    return (this.#profile === 'ntopng' ? this.#merged(pods) : pods).map(subjectOf)
  }

  /** ntopng's tags name a pod by its name alone, so two of a name are one: their flows together. */
  #merged(pods: readonly PodGroup[]): PodGroup[] {
    const byName = new Map<string, PodGroup>()
    for (const pod of pods) {
      const other = byName.get(pod.name.name)
      if (other) {
        other.add(pod)
        other.containers += pod.containers
        this.mergedPods++
      } else byName.set(pod.name.name, pod)
    }
    return [...byName.values()]
  }

  #host({ key }: Folded, ifid: string): Tags {
    return this.#keep(`${ifid} host ${key.host}`, { ifid }, { host: key.host })
  }

  /** @param more tags that follow from the subject's own and add no series; ntopng has none of them */
  #keep(key: string, own: Tags, more: Readonly<Record<string, string | undefined>>): Tags {
    const known = this.#tags.get(key)
    if (known) return known
    const named = Object.entries(more).filter((tag): tag is [string, string] => Boolean(tag[1]))
    const tags = this.#profile === 'ntopng' ? own : { ...own, ...Object.fromEntries(named) }
    if (this.#tags.size >= MOST_TAGS) this.#tags.clear()
    this.#tags.set(key, tags)
    return tags
  }
}

const labelTags = (labels: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [`label_${key}`, value]))

function valuesOf(metric: Metric, { group, containers }: Subject): (number | undefined)[] {
  if (metric.fold === 'containers') return [containers]
  return [group.client, group.server].map(totals => fieldValue(metric, totals))
}

function fieldValue({ fold, source, divisor }: Metric, totals: Totals): number | undefined {
  if (fold === 'flows') return totals.flows
  const mean = source && totals.mean(source)
  return mean === undefined ? undefined : mean / divisor
}
