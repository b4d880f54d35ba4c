/** A window as the page shows it: a row for each container, pod, process and host. */

import type { FlowSums, Group } from '../../wire/count/flow_sums.ts'
import { Group as Sum } from '../../wire/count/flow_sums.ts'
import { processCalled, shortId } from '../fold/names.ts'
import type { Folded } from '../ingest/folded.ts'
import { containerOf } from '../sample/subjects.ts'

export const PAGE_LEVELS = ['container', 'pod', 'process', 'host'] as const
export type PageLevel = (typeof PAGE_LEVELS)[number]

interface Named {
  readonly id: string
  readonly name?: string | undefined
  readonly pod?: string | undefined
  readonly namespace?: string | undefined
  readonly container?: string | undefined
  /** Containers of a pod, processes of a name, containers of a host. */
  readonly members: number
  readonly group: Group
}

type Cell = string | number | null
const ms = (us: number | undefined): number | null => (us === undefined ? null : Math.round(us) / 1000)
const quantile = (q: number) => (sums: FlowSums) => ms(sums.rtt?.quantile(q))

/** Numbers of each role, in this order. */
const BY_ROLE: Readonly<Record<string, (sums: FlowSums) => Cell>> = {
  flows: ({ flows }) => flows,
  p50: quantile(0.5),
  p95: quantile(0.95),
  p99: quantile(0.99),
  opened: ({ opened }) => opened,
  failed: ({ failed }) => failed,
  retransmits: ({ retransmits }) => retransmits,
}
/** Numbers of both roles together, as they are stored. */
const TOGETHER: Readonly<Record<string, (sums: FlowSums) => number>> = {
  sent: ({ bytesSent }) => bytesSent,
  rcvd: ({ bytesRcvd }) => bytesRcvd,
  packets: ({ packetsSent }) => packetsSent,
}
const NAMES = ['id', 'name', 'pod', 'namespace', 'container', 'members'] as const

/** What the cells of a row are. */
export const COLUMNS: readonly string[] = [
  ...NAMES,
  ...Object.keys(BY_ROLE).flatMap(name => [`${name}.client`, `${name}.server`]),
  ...Object.keys(TOGETHER),
]

export interface PageWindow {
  readonly host: string
  /** The window's end, seconds since the epoch. */
  readonly time: number
  /** Seconds. */
  readonly interval: number
  readonly partial: boolean
  readonly complete: boolean
  readonly levels: Readonly<Record<PageLevel, { readonly total: number; readonly rows: readonly Cell[][] }>>
}

/** @param most rows of one level: those that carried most */
export function pageWindow(window: Folded, most: number): PageWindow {
  const { key, time, interval, partial, complete } = window
  const level = (all: readonly Named[]) => ({ total: all.length, rows: busiest(all, most).map(cellsOf) })
  const containers = containersOf(window)
  return {
    ...{ host: key.host, time, interval, partial, complete },
    levels: {
      container: level(containers),
      pod: level(podsOf(window)),
      process: level(processesOf(window)),
      host: level([hostOf(window, containers)]),
    },
  }
}

function containersOf({ fold }: Folded): Named[] {
  const all = [...fold.containers.values()].filter(({ name }) => !name.sandbox)
  const none: Named = { id: '', name: '(host)', members: 0, group: fold.host }
  return [
    none,
    ...all.map(group => {
      const pod = group.name.pod === undefined ? undefined : fold.podName(group.name.pod)
      const names = { name: group.name.name, pod: pod?.name, namespace: pod?.namespace }
      return { id: shortId(group.id), ...names, members: group.running ? 1 : 0, group }
    }),
  ]
}

const podsOf = ({ fold }: Folded): Named[] =>
  [...fold.pods().values()].map(group => {
    const { name, namespace } = group.name
    return { id: `${namespace}/${name}`, name, pod: name, namespace, members: group.containers, group }
  })

/** Processes of one name in one container are one, as in the measurements. */
function processesOf({ fold }: Folded): Named[] {
  const byName = new Map<string, Named & { members: number; readonly group: Sum }>()
  for (const process of fold.processes?.byPid.values() ?? []) {
    const id = containerOf(process.owner)
    const container = id === undefined ? undefined : shortId(id)
    const name = processCalled(process.pid, process.comm, fold.processName(process.pid))
    const uid = id === undefined ? undefined : fold.containers.get(id)?.name.pod
    const pod = uid === undefined ? undefined : fold.podName(uid)
    const key = `${container ?? ''}/${name}`
    let known = byName.get(key)
    if (!known) {
      const names = { name, container, pod: pod?.name, namespace: pod?.namespace }
      known = { id: key, ...names, members: 0, group: new Sum() }
      byName.set(key, known)
    }
    known.members++
    known.group.add(process)
  }
  return [...byName.values()]
}

/** The whole host, with its containers. */
function hostOf({ key, fold }: Folded, containers: readonly Named[]): Named {
  const group = new Sum()
  group.add(fold.host)
  for (const container of fold.containers.values()) group.add(container)
  return { id: key.host, name: key.host, members: containers.length - 1, group }
}

const weightOf = ({ group: { client, server } }: Named): number =>
  client.bytesSent + client.bytesRcvd + server.bytesSent + server.bytesRcvd + client.flows + server.flows

const busiest = (all: readonly Named[], most: number): readonly Named[] =>
  all.length <= most ? all : all.toSorted((a, b) => weightOf(b) - weightOf(a)).slice(0, most)

const cellsOf = ({ group, ...named }: Named): Cell[] => [
  ...NAMES.map(name => named[name] ?? ''),
  ...Object.values(BY_ROLE).flatMap(of => [of(group.client), of(group.server)]),
  ...Object.values(TOGETHER).map(of => of(group.client) + of(group.server)),
]
