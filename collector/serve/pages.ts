/** What the collector answers over HTTP: to Prometheus, and to whoever starts and restarts it. */

import { PrometheusSink } from '../sinks/prometheus/prometheus.ts'
import type { SinkQueue } from '../sinks/queue.ts'
import type { Sink } from '../sinks/sink.ts'
import type { Pages } from './http.ts'

/**
 * @param open with the sink for Prometheus among them
 * @param isListening whether probes can be heard
 */
export function pagesOf(
  open: readonly Sink[],
  queues: readonly Pick<SinkQueue, 'name' | 'isFull'>[],
  isListening: () => boolean,
): Pages {
  const prometheus = open.find(sink => sink instanceof PrometheusSink)!
  const unready = (): string | undefined => {
    if (!isListening()) return 'not listening for probes'
    const full = queues.find(({ isFull }) => isFull)
    return full && `the queue of ${full.name} is full: its oldest samples are dropped`
  }
  return {
    '/metrics': () => ({ type: prometheus.contentType, body: prometheus.text() }),
    '/healthz': () => ({ body: 'ok\n' }),
    '/readyz': () => {
      const reason = unready()
      return reason === undefined ? { body: 'ready\n' } : { status: 503, body: `${reason}\n` }
    },
  }
}
