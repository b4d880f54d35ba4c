/** Docker and podman over their sockets: the containers and their names. */

import { existsSync } from 'node:fs'
import { dockerDescribed } from '../disk/docker_state.ts'
import { elements, expand, isRecord, type Json, textOr, textsOf } from '../disk/files.ts'
import { type Described, merge } from '../source.ts'
import { type Answer, NonsenseError, type Runtime, TIMEOUT_MS } from './asked.ts'
import { getJson } from './http_json.ts'

interface Api {
  readonly name: string
  /** Running containers only. */
  readonly path: string
  readonly describe: (container: Json) => Described
}

/** Docker Engine API: /containers/json, in any version of it. */
const DOCKER: Api = {
  name: 'docker',
  path: '/containers/json',
  describe: container =>
    dockerDescribed(
      textOr(elements(container['Names'])[0]),
      textOr(container['Image']),
      textsOf(container['Labels']),
    ),
}

/** Podman's own API knows pods; it is the same since 4.0. */
const PODMAN: Api = {
  name: 'podman',
  path: '/v4.0.0/libpod/containers/json',
  describe: container => {
    const uid = textOr(container['Pod'])
    const sandbox = container['IsInfra'] === true
    return merge(
      {
        runtime: 'podman',
        ...(sandbox && { sandbox }),
        ...(uid && { pod: { uid, name: textOr(container['PodName']), namespace: '' } }),
      },
      DOCKER.describe(container),
    )
  },
}

function answerOf(api: Api, listed: unknown): Answer {
  if (!Array.isArray(listed) || !listed.every(isRecord)) throw new NonsenseError('no list of containers')
  const containers = new Map<string, Described>()
  const running: Answer['running'][number][] = []
  for (const container of listed) {
    const id = textOr(container['Id'])
    if (id === '') throw new NonsenseError('a container without id')
    containers.set(id, api.describe(container))
    running.push({ id, pid: Number(container['Pid'] ?? 0) })
  }
  return { containers, running }
}

/** Sockets that one pattern names: each user who runs containers has one. */
const MAX_SOCKETS = 64
/** For one of several sockets: one that hangs is left out, and the others have answered by then. */
const ONE_OF_MANY_MS = TIMEOUT_MS / 2

/** @param pattern of the socket's path; `*` for any one name, as in `/run/user/<any>/docker.sock` */
function runtime(api: Api, pattern: string): Runtime {
  const sockets = () => expand(pattern).filter(existsSync).slice(0, MAX_SOCKETS)
  const askOne = async (socketPath: string, signal: AbortSignal) =>
    answerOf(api, await getJson({ socketPath, path: api.path, host: 'localhost' }, signal))
  return {
    name: api.name,
    gapMs: 250,
    exists: () => sockets().length > 0,
    ask: async signal => {
      const [only = pattern, ...more] = sockets()
      if (more.length === 0) return askOne(only, signal)
      const each = AbortSignal.any([signal, AbortSignal.timeout(ONE_OF_MANY_MS)])
      const asked = await Promise.allSettled([only, ...more].map(socket => askOne(socket, each)))
      const answers = asked.flatMap(it => (it.status === 'fulfilled' ? [it.value] : []))
      if (answers.length === 0) throw (asked[0] as PromiseRejectedResult).reason
      return together(answers)
    },
    close: () => {},
  }
}

/** The first one wins. */
function together(answers: readonly Answer[]): Answer {
  const containers = new Map(answers.toReversed().flatMap(answer => [...answer.containers]))
  return { containers, running: answers.flatMap(({ running }) => running) }
}

export const docker = (socket: string): Runtime => runtime(DOCKER, socket)
export const podman = (socket: string): Runtime => runtime(PODMAN, socket)
