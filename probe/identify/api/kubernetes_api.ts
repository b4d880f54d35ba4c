/**
 * The pods of this node, from the Kubernetes API with a pod's service account: only with `--kubernetes`. Needs the right
 * to list pods.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { elements, isRecord, member, textOr, textsOf } from '../disk/files.ts'
import type { Described, Pod } from '../source.ts'
import { type Answer, NonsenseError, type Runtime } from './asked.ts'
import { getJson } from './http_json.ts'

export interface KubernetesOptions {
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly host: string
  readonly port: number
  /** As `spec.nodeName` has it. */
  readonly node: string
  /** With `token` and `ca.crt`. */
  readonly serviceAccount: string
}

/** The API server is shared: it is not asked more often than this. */
const GAP_MS = 10_000
const STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']

export function kubernetes({ host, port, node, serviceAccount }: KubernetesOptions): Runtime {
  const token = join(serviceAccount, 'token')
  // resourceVersion=0: from the server's cache
  const query = new URLSearchParams({ fieldSelector: `spec.nodeName=${node}`, resourceVersion: '0' })
  return {
    name: 'kubernetes',
    gapMs: GAP_MS,
    exists: () => existsSync(token),
    ask: async signal => {
      // read each time: kubelet renews it
      const authorization = `Bearer ${readFileSync(token, 'utf8').trim()}`
      const ca = readFileSync(join(serviceAccount, 'ca.crt'), 'utf8')
      const path = `/api/v1/pods?${query}`
      return answerOf(await getJson({ host, port, path, ca, headers: { authorization } }, signal))
    },
    close: () => {},
  }
}

function answerOf(listed: unknown): Answer {
  if (!isRecord(listed) || !Array.isArray(listed['items'])) throw new NonsenseError('no list of pods')
  const containers = new Map<string, Described>()
  for (const item of listed['items']) {
    const metadata = member(item, 'metadata')
    const pod: Pod = {
      uid: uidOf(metadata),
      name: textOr(metadata['name']),
      namespace: textOr(metadata['namespace']),
      labels: textsOf(metadata['labels']),
    }
    const statuses = STATUSES.flatMap(name => elements(member(item, 'status')[name])).filter(isRecord)
    for (const status of statuses) {
      // `containerd://<id>`
      const [, runtime, id] = /^([\w.-]+):\/\/(.+)$/.exec(textOr(status['containerID'])) ?? []
      const [name, image] = [textOr(status['name']), textOr(status['image'])]
      if (id && runtime && pod.uid && pod.name) containers.set(id, { runtime, name, image, pod })
    }
  }
  return { containers, running: [] }
}

/** A static pod's containers have the UID that its node gave it, not the one of its mirror in the API. */
function uidOf(metadata: Readonly<Record<string, unknown>>): string {
  return textsOf(metadata['annotations'])['kubernetes.io/config.hash'] ?? textOr(metadata['uid'])
}
