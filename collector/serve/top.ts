/** The last window of each host, for people who watch: containers and the busiest processes. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import type { FlowSums, Group } from '../../wire/count/flow_sums.ts'
import type { ProcessName } from '../../wire/message.ts'
import type { ContainerGroup } from '../fold/fold.ts'
import { processCalled, shortId } from '../fold/names.ts'
import type { ProcessGroup } from '../fold/processes.ts'
import type { Folded } from '../ingest/folded.ts'
import { idleMs } from '../ingest/probe_windows.ts'
import { containerOf } from '../sample/subjects.ts'

export interface TopRow {
  readonly id: string
  readonly name: string
  readonly pod: string
  readonly asClient: number
  readonly asServer: number
  /** ms; null when no flow was measured. */
  readonly rtt: number | null
  readonly rttVariance: number | null
  /** Of a process: its program, parent and user. */
  readonly process?: ProcessName
}

export interface TopHost {
  readonly host: string
  /** The window's end, seconds since the epoch. */
  readonly time: number
  readonly partial: boolean
  /** The busiest of them. */
  readonly containers: readonly TopRow[]
  readonly processes: readonly TopRow[]
  /** All there are. */
  readonly total: { readonly containers: number; readonly processes: number }
}

/** Watchers ask every second; after so long without one, processes are not counted any more. */
const WATCHED_MS = 30_000
const MAX_HOSTS = 1000
const MAX_ROWS = 200

export class Top {
  readonly #hosts = new BoundedMap<string, TopHost & { readonly untilMs: number }>(MAX_HOSTS)
  readonly #now: () => number
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  isWatched(): boolean {
    return this.#now() - this.#askedMs < WATCHED_MS
  }

  take({ key, time, partial, interval, fold }: Folded): void {
    const nameOf = (id: string | undefined) => (id && fold.containers.get(id)?.name) || undefined
    const podOf = (id: string | undefined) => {
      const uid = nameOf(id)?.pod
      return (uid && fold.podName(uid)?.name) ?? ''
    }
    const containerRow = (container: ContainerGroup) =>
      rowOf(container, shortId(container.id), container.name.name ?? '', podOf(container.id))
    const processRow = (process: ProcessGroup) => {
      const container = containerOf(process.owner)
      const name = fold.processName(process.pid)
      const row = rowOf(
        process,
        String(process.pid),
        processCalled(process.pid, process.comm, name),
        podOf(container) || shortId(container ?? ''),
      )
      return name ? { ...row, process: name } : row
    }
    const containers = [
      rowOf(fold.host, '(host)', '', ''),
      ...[...fold.containers.values()].filter(({ name }) => !name.sandbox).map(containerRow),
    ]
    const processes = [...(fold.processes?.byPid.values() ?? [])].map(processRow)
    this.#hosts.set(key.host, {
      host: key.host,
      time,
      partial,
      containers: busiest(containers),
      processes: busiest(processes),
      total: { containers: containers.length, processes: processes.length },
      untilMs: this.#now() + idleMs(interval),
    })
  }

  /** Processes are counted from now on, for a while. */
  view(): readonly TopHost[] {
    this.#askedMs = this.#now()
    return [...this.#hosts.values()].map(({ untilMs: _, ...host }) => host)
  }

  /** Forgets hosts that have been silent. */
  expire(): void {
    const now = this.#now()
    for (const [host, { untilMs }] of this.#hosts) if (untilMs < now) this.#hosts.delete(host)
  }
}

function rowOf(group: Group, id: string, name: string, pod: string): TopRow {
  const { client, server } = group
  const measured = client.measured + server.measured
  const mean = (sum: (totals: FlowSums) => number) =>
    measured > 0 ? (sum(client) + sum(server)) / measured / 1000 : null
  return {
    id,
    name,
    pod,
    asClient: client.flows,
    asServer: server.flows,
    rtt: mean(totals => totals.rttUs),
    rttVariance: mean(totals => totals.rttVarUs),
  }
}

const busiest = (rows: readonly TopRow[]): TopRow[] =>
  rows.toSorted((a, b) => b.asClient + b.asServer - a.asClient - a.asServer).slice(0, MAX_ROWS)
