/** Docker and podman over their sockets: which containers there are and what they are called. */

import { existsSync } from 'node:fs'
import { dockerDescribed } from '../disk/docker_state.ts'
import { elements, isRecord, type Json, textOr, textsOf } from '../disk/files.ts'
import { type Described, merge } from '../source.ts'
import { type Answer, NonsenseError, type Runtime } from './asked.ts'
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

function runtime(api: Api, socketPath: string): Runtime {
  return {
    name: api.name,
    gapMs: 250,
    exists: () => existsSync(socketPath),
    ask: async signal =>
      answerOf(api, await getJson({ socketPath, path: api.path, host: 'localhost' }, signal)),
    close: () => {},
  }
}

export const docker = (socket: string): Runtime => runtime(DOCKER, socket)
export const podman = (socket: string): Runtime => runtime(PODMAN, socket)
