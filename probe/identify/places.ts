/** The sources of names that this host may have, by priority. */

import { Asked, type Runtime } from './api/asked.ts'
import { docker, podman } from './api/container_api.ts'
import { cri } from './api/cri.ts'
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
  readonly label: readonly string[]
}

/** Disk before sockets: it answers at once, and has containers that have just ended. Users of podman come after root. */
export function sourcesIn(places: Places): Sources {
  const runtimes: Runtime[] = [
    ...places.criSocket.map(cri),
    ...places.dockerSocket.map(docker),
    ...places.podmanSocket.map(podman),
  ]
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
