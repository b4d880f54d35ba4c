/** The groups of a window, by level, each with what a person calls it. */

import { Group } from '../../wire/count/flow_sums.ts'
import type { ContainerGroup, Fold, PodGroup } from '../fold/fold.ts'
import { processCalled, shortId } from '../fold/names.ts'
import type { ProcessGroup } from '../fold/processes.ts'
import { containerOf } from '../sample/subjects.ts'
import type { Whose } from './row_of.ts'
import type { Level } from './rows.ts'

/** What is in no container. */
export const HOST = '(host)'

interface Named {
  readonly group: Group
  readonly whose: Whose
}

const NOWHERE = { pod: '', namespace: '' }
const flowsOf = ({ client, server }: Group): number => client.flows + server.flows

/** Their busiest ones: as many as there is room for, which costs less than a row of each. */
export interface Busiest {
  readonly all: number
  readonly shown: readonly Named[]
}

/** @param most of each level */
export function levelsOf(fold: Fold, most: number): Readonly<Record<Level, Busiest>> {
  const pods = [...fold.pods().values()]
  const processes = [...(fold.processes?.byPid.values() ?? [])]
  const place = placeIn(fold)
  return {
    namespaces: busiest(namespacesOf(pods), most, named => named),
    pods: busiest(pods, most, pod => ({ group: pod, whose: podCalled(pod) })),
    containers: busiest(
      [fold.host, ...[...fold.containers.values()].filter(({ name }) => !name.sandbox)],
      most,
      group => ({
        group,
        whose: 'id' in group ? containerCalled(group as ContainerGroup, place) : hostCalled,
      }),
    ),
    programs: busiest(programsOf(fold, processes, place), most, named => named),
    processes: busiest(processes, most, group => ({ group, whose: processWhose(fold, group, place) })),
  }
}

function busiest<T extends Group | Named>(
  all: readonly T[],
  most: number,
  named: (one: T) => Named,
): Busiest {
  const groupOf = (one: T): Group => (one instanceof Group ? one : one.group)
  const bytes = ({ client, server }: Group) =>
    client.bytesSent + client.bytesRcvd + server.bytesSent + server.bytesRcvd
  const order = (a: Group, b: Group) => bytes(b) - bytes(a) || flowsOf(b) - flowsOf(a)
  const shown = all.toSorted((a, b) => order(groupOf(a), groupOf(b))).slice(0, most)
  return { all: all.length, shown: shown.map(named) }
}

type Place = (container: string | undefined) => Pick<Whose, 'pod' | 'namespace'> & { readonly owner: string }

const placeIn =
  (fold: Fold): Place =>
  id => {
    const container = id === undefined ? undefined : fold.containers.get(id)
    if (id === undefined || !container) return { ...NOWHERE, owner: HOST }
    const uid = container.name.pod
    const pod = uid === undefined ? undefined : fold.podName(uid)
    return {
      pod: pod?.name ?? '',
      namespace: pod?.namespace ?? '',
      owner: container.name.name || shortId(id),
    }
  }

const hostCalled: Whose = { id: HOST, name: HOST, ...NOWHERE }

const podCalled = ({ uid, name, members }: PodGroup): Whose => ({
  id: uid,
  name: name.name,
  pod: name.name,
  namespace: name.namespace,
  parts: members.filter(({ name }) => !name.sandbox).length,
})

function containerCalled({ id, name }: ContainerGroup, place: Place): Whose {
  const { pod, namespace } = place(id)
  return { id: shortId(id), name: name.name ?? '', pod, namespace }
}

function namespacesOf(pods: readonly PodGroup[]): Named[] {
  const names = Map.groupBy(pods, ({ name }) => name.namespace)
  return [...names].map(([namespace, members]) => ({
    group: sumOf(members),
    whose: { id: namespace, name: namespace, pod: '', namespace, parts: members.length },
  }))
}

function processWhose(fold: Fold, group: ProcessGroup, place: Place): Whose {
  const container = containerOf(group.owner)
  const process = fold.processName(group.pid)
  return {
    id: String(group.pid),
    name: processCalled(group.pid, group.comm, process),
    ...place(container),
    ownerId: shortId(container ?? ''),
    ...(process && { process }),
  }
}

/** Processes of one name in one container together. */
function programsOf(fold: Fold, processes: readonly ProcessGroup[], place: Place): Named[] {
  const programs = Map.groupBy(processes, ({ pid, comm, owner }) =>
    JSON.stringify([shortId(containerOf(owner) ?? ''), processCalled(pid, comm, fold.processName(pid))]),
  )
  return [...programs].map(([id, members]) => ({
    group: members.length === 1 ? members[0]! : sumOf(members),
    whose: { ...processWhose(fold, members[0]!, place), id, parts: members.length },
  }))
}

function sumOf(members: readonly Group[]): Group {
  const sum = new Group()
  for (const member of members) sum.add(member)
  return sum
}
