/**
 * Prometheus' text format 0.0.4. Source: prometheus.io/docs/instrumenting/exposition_formats. No line has a timestamp:
 * otherwise a series that ended would not become stale at the next scrape.
 */

import type { DistributionSample, Sample, StepCounts, Tags } from '../../batch.ts'
import type { Metric } from '../../metrics/metric.ts'
import { type Family, familiesOf } from '../../metrics/prometheus.ts'
import { STEPS } from '../../metrics/steps.ts'

/** The samples of one measurement. The first of two with the same tags is written: a duplicate would be an error. */
interface MetricSamples {
  readonly samples: readonly Sample[]
  readonly distributions: readonly DistributionSample[]
}

/** @yields some lines at a time; the lines of a family stay together */
export function* encodeMetric(metric: Metric, all: MetricSamples): Generator<string> {
  const samples = unique(all.samples)
  const distributions = unique(all.distributions)
  for (const family of familiesOf(metric)) {
    let head = `# HELP ${family.name} ${escapedHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`
    const lines =
      family.type === 'histogram' ? histograms(family.name, distributions) : values(family, samples)
    for (const line of lines) {
      yield head + line
      head = ''
    }
  }
}

function* values({ name, perBase, values }: Family, samples: ReadonlyMap<string, Sample>): Generator<string> {
  for (const [labels, sample] of samples)
    for (const { at, role } of values) {
      const value = sample.values[at]
      if (value === undefined || !Number.isFinite(value)) continue
      yield `${name}{${joined(labels, role && `role="${role}"`)}} ${value / perBase}\n`
    }
}

const BOUNDS = [...STEPS, '+Inf'].map(step => `le="${step}"`)

function* histograms(
  name: string,
  distributions: ReadonlyMap<string, DistributionSample>,
): Generator<string> {
  for (const [labels, { distribution }] of distributions) yield histogram(name, labels, distribution)
}

function histogram(name: string, labels: string, { counts, sum }: StepCounts): string {
  let text = ''
  let below = 0
  for (const [step, count] of counts.entries()) {
    below += count
    text += `${name}_bucket{${joined(labels, BOUNDS[step]!)}} ${below}\n`
  }
  return `${text}${name}_sum{${labels}} ${sum / 1_000_000}\n${name}_count{${labels}} ${below}\n`
}

function unique<T extends { readonly tags: Tags }>(given: readonly T[]): Map<string, T> {
  const byLabels = new Map<string, T>()
  for (const one of given) {
    const labels = labelsOf(one.tags)
    if (!byLabels.has(labels)) byLabels.set(labels, one)
  }
  return byLabels
}

const joined = (labels: string, more: string): string =>
  labels && more ? `${labels},${more}` : labels || more

// the samples of one container share their Tags
const labelsCache = new WeakMap<Tags, string>()

/** `container="0123",host="a"`; an empty label means no label. */
export function labelsOf(tags: Tags): string {
  let text = labelsCache.get(tags)
  if (text === undefined) {
    const labels = new Map<string, string>()
    for (const [tag, value] of Object.entries(tags)) {
      const name = tag.replace(/[^a-zA-Z0-9_]/g, '_')
      if (value && !labels.has(name)) labels.set(name, `${name}="${escapedValue(value)}"`)
    }
    text = [...labels.values()].join(',')
    labelsCache.set(tags, text)
  }
  return text
}

const escapedHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapedValue = (text: string): string => escapedHelp(text).replaceAll('"', '\\"')
