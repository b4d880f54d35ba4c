import { setImmediate as turn } from 'node:timers/promises'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { type Batch, type DistributionSample, Samples } from '../../batch.ts'
import { catalogue } from '../../metrics/catalogue.ts'
import type { Sink } from '../sink.ts'
import { encodeMetric, labelsOf } from './text.ts'

export interface PrometheusOptions {
  readonly version: string
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** The last window of one probe, or of the collector itself. */
interface Source {
  /** Milliseconds; the source expires then unless another window arrives. */
  readonly until: number
  /** By measurement; the first of two samples with the same tags counts. */
  readonly samples: ReadonlyMap<string, readonly Samples[]>
  readonly distributions: ReadonlyMap<string, readonly DistributionSample[]>
  /** Samples that were pending for names arrive after their window and are shown with the next one. */
  readonly late: Batch | undefined
  /** The last samples of sparse measurements, which have none while they do not rise, by measurement and labels. */
  readonly sparse: ReadonlyMap<string, Samples>
}

const SILENT_WINDOWS = 2
/** Most series of sparse measurements kept per source. */
const MAX_SPARSE = 1000
/** Characters per piece of text; one piece takes less than a millisecond. */
const PIECE_CHARS = 65_536

const SPARSE = new Set(catalogue.filter(({ sparse }) => sparse).map(({ name }) => name))

/** Fields whose names look like counters, but are gauges. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/**
 * Shows the last window of each probe to Prometheus; a series that is not in it has ended. A write completes at once, so
 * the queue never waits.
 */
export class PrometheusSink implements Sink {
  readonly name = 'prometheus'
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #registry = new Registry()
  readonly #now: () => number
  readonly #sources = new Map<string, Source>()

  constructor({ version, now = () => performance.now() }: PrometheusOptions) {
    this.#now = now
    collectDefaultMetrics({ register: this.#registry })
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name)
    new Gauge({
      name: 'sockflux_build_info',
      help: 'the version that runs; always 1',
      labelNames: ['version', 'node'],
      registers: [this.#registry],
    }).set({ version, node: process.version }, 1)
  }

  async write(batch: Batch): Promise<void> {
    this.#forgetSilent()
    const { id, interval } = batch
    if (id.part === 'missing') return // the last window is shown
    const key = `${id.boot} ${id.probe}`
    const before = this.#sources.get(key)
    if (id.part === 'late') {
      if (before) this.#sources.set(key, { ...before, late: batch })
      return
    }
    const parts = before?.late?.id.window === id.window - 1 ? [batch, before.late] : [batch]
    const sparse = lasting(before?.sparse, batch.samples)
    const samples = [...parts.flatMap(({ samples }) => samples), ...sparse.values()]
    const distributions = parts.flatMap(({ distributions }) => distributions)
    this.#sources.delete(key) // keeps the sources in the order of their last windows
    this.#sources.set(key, {
      until: this.#now() + SILENT_WINDOWS * interval * 1000,
      samples: Map.groupBy(samples, ({ measurement }) => measurement.name),
      distributions: Map.groupBy(distributions, ({ measurement }) => measurement.name),
      late: undefined,
      sparse,
    })
  }

  async close(): Promise<void> {}

  /** The current samples as text, in pieces, so that other work of the process runs in between. */
  async *text(): AsyncGenerator<string> {
    let piece = await this.#registry.metrics()
    for (const lines of this.#lines()) {
      piece += lines
      if (piece.length < PIECE_CHARS) continue
      yield piece
      piece = ''
      await turn()
    }
    yield piece
  }

  *#lines(): Generator<string> {
    this.#forgetSilent()
    // a restarted probe sends series that its predecessor left too: the newest window goes first
    const sources = [...this.#sources.values()].reverse()
    for (const metric of catalogue)
      yield* encodeMetric(metric, {
        samples: sources
          .flatMap(({ samples }) => samples.get(metric.name) ?? [])
          .flatMap(some => [...some.each()]),
        distributions: sources.flatMap(({ distributions }) => distributions.get(metric.name) ?? []),
      })
  }

  #forgetSilent(): void {
    const now = this.#now()
    for (const [key, { until }] of this.#sources) if (until < now) this.#sources.delete(key)
  }
}

function lasting(before: ReadonlyMap<string, Samples> | undefined, samples: readonly Samples[]) {
  const lasting = new Map(before)
  for (const some of samples) {
    if (!SPARSE.has(some.measurement.name)) continue
    const { length } = some.measurement.fields
    for (const [at, tags] of some.tags.entries()) {
      const one = new Samples(some.measurement, [tags], some.values.slice(at * length, (at + 1) * length))
      lasting.set(`${some.measurement.name} ${labelsOf(tags)}`, one)
    }
  }
  for (const key of lasting.keys()) if (lasting.size > MAX_SPARSE) lasting.delete(key)
  return lasting
}
