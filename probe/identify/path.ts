/** What a cgroup's path contains: the innermost container, those around it, and the outermost pod, read from the right. */

import { CONTAINERS, NAME, POD, unescaped } from './shapes.ts'

export interface PathNames {
  /** The runtime's id of the container: 64 hex digits, or `<runtime namespace>/<name>` where it has no such id. */
  readonly container: string
  /** The runtime that names its cgroups so; `cri` where the path only has Kubernetes' directory. */
  readonly runtime: string
  /** UID of the pod, with dashes. */
  readonly pod?: string
  /** Its name, where the path has it. */
  readonly name?: string
  /** The outer container, in which its runtime runs. */
  readonly outer?: PathNames
}

const FREE_NAME = RegExp(`^${NAME}$`)

/** Whether containerd has a container of this name in a namespace: only that makes `/default/web` one. */
export type IsNamed = (namespace: string, name: string) => boolean

/** @param names of the cgroup and its parents, leaf first */
export function namesOf(names: readonly string[], isNamed: IsNamed = () => false): PathNames | undefined {
  return namesFrom(0, names, isNamed)
}

/** Recurses once per container: a path has few names. */
function namesFrom(from: number, names: readonly string[], isNamed: IsNamed): PathNames | undefined {
  for (let depth = from; depth < names.length; depth++) {
    const name = names[depth]!
    const container =
      shaped(name, names[depth + 1], names[depth - 1]) ?? freelyNamed(name, names[depth + 1], isNamed)
    if (!container) continue
    const pod = [name.split(':')[0]!, ...names.slice(depth + 1)].findLast(part => POD.test(part))
    const outer = namesFrom(depth + 1, names, isNamed)
    return {
      ...container,
      ...(pod && { pod: POD.exec(pod)![1]!.replaceAll('_', '-') }),
      ...(outer && outer.container !== container.container && { outer }),
    }
  }
  return undefined
}

function shaped(name: string, parent: string | undefined, child: string | undefined): PathNames | undefined {
  for (const shape of CONTAINERS) {
    const found = shape.name.exec(name)?.[1]
    if (!found || (shape.parent && !shape.parent.test(parent ?? ''))) continue
    if (shape.unless !== undefined && shape.unless === child) return undefined
    const { runtime, namespace, called } = shape
    if (!namespace) return { container: found, runtime }
    const own = unescaped(found)
    return { container: `${namespace}/${own}`, runtime, name: called ?? own }
  }
  return undefined
}

/** `/<namespace>/<name>`, as `ctr` makes them: by its path alone this can be any directory. */
function freelyNamed(name: string, namespace: string | undefined, isNamed: IsNamed): PathNames | undefined {
  if (!namespace || !FREE_NAME.test(name) || !FREE_NAME.test(namespace) || !isNamed(namespace, name))
    return undefined
  return { container: `${namespace}/${name}`, runtime: 'containerd', name }
}
