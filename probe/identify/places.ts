/** The sources of names that this host may have, by priority. */

import { Asked, type Runtime } from './api/asked.ts'
import { docker, podman } from './api/container_api.ts'
import { cri } from './api/cri.ts'
import { kubernetes } from './api/kubernetes_api.ts'
import { Bundles } from './disk/bundle.ts'
import { DockerState } from './disk/docker_state.ts'
import { KubeletLogs } from './disk/kubelet_logs.ts'
import { OciStates } from './disk/oci_state.ts'
import { Sources } from './sources.ts'

export interface Places {
  readonly containerdState: readonly string[]
  readonly ociState: readonly string[]
  readonly dockerRoot: readonly string[]
  readonly kubeletLogs: readonly string[]
  readonly criSocket: readonly string[]
  readonly dockerSocket: readonly string[]
  readonly podmanSocket: readonly string[]
  /** Whether the Kubernetes API may be asked. */
  readonly kubernetes: boolean
  readonly nodeName?: string | undefined
  readonly label: readonly string[]
}

/** Kubernetes, Accessing the API from within a Pod. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Disk before sockets: it answers at once, and has containers that have just ended. Users of podman come after root.
 * @param host this host's name
 * @param env for KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, which a pod has
 */
export function sourcesIn(places: Places, host: string, env: NodeJS.ProcessEnv = process.env): Sources {
  const runtimes: Runtime[] = [
    ...places.criSocket.map(cri),
    ...places.dockerSocket.map(docker),
    ...places.podmanSocket.map(podman),
  ]
  const api = env['KUBERNETES_SERVICE_HOST']
  if (places.kubernetes && api)
    runtimes.push(
      kubernetes({
        host: api,
        port: Number(env['KUBERNETES_SERVICE_PORT'] ?? 443),
        node: places.nodeName ?? host,
        serviceAccount: SERVICE_ACCOUNT,
      }),
    )
  return new Sources(
    [
      new Bundles(places.containerdState),
      new DockerState(places.dockerRoot),
      new OciStates(places.ociState),
      new KubeletLogs(places.kubeletLogs),
    ],
    runtimes.map(runtime => new Asked(runtime)),
    places.label.length > 0,
  )
}
