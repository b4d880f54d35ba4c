/** Reads names from annotations and labels of a container, by the keys of each runtime. */

import type { Described, Labels } from '../source.ts'

/**
 * In order: containerd (pkg/cri/annotations), kubelet's labels (pkg/kubelet/types/labels.go), which CRI-O repeats as
 * annotations and cri-dockerd as labels, nerdctl (pkg/labels), CRI-O (pkg/annotations).
 */
const KEYS = {
  name: ['io.kubernetes.cri.container-name', 'io.kubernetes.container.name', 'nerdctl/name'],
  image: ['io.kubernetes.cri.image-name', 'io.kubernetes.cri-o.ImageName'],
  podName: ['io.kubernetes.cri.sandbox-name', 'io.kubernetes.pod.name'],
  podNamespace: ['io.kubernetes.cri.sandbox-namespace', 'io.kubernetes.pod.namespace'],
  // before containerd 1.6 no UID was noted; a sandbox belongs to one pod, too
  podUid: ['io.kubernetes.cri.sandbox-uid', 'io.kubernetes.pod.uid', 'io.kubernetes.cri.sandbox-id'],
} as const

const SANDBOXES: Labels = {
  'io.kubernetes.cri.container-type': 'sandbox',
  'io.kubernetes.cri-o.ContainerType': 'sandbox',
  'io.kubernetes.docker.type': 'podsandbox',
}

const MANAGERS: Labels = { libpod: 'podman', 'cri-o': 'cri-o' }

export function describe(notes: Labels): Described {
  const say = (what: keyof typeof KEYS) => KEYS[what].map(key => notes[key]).find(Boolean)
  const podName = say('podName')
  const sandbox = Object.entries(SANDBOXES).some(([key, value]) => notes[key] === value)
  const name = sandbox ? undefined : say('name')
  const image = say('image')
  const runtime = MANAGERS[notes['io.container.manager'] ?? '']
  return {
    ...(runtime && { runtime }),
    ...(name && { name }),
    ...(image && { image }),
    ...(sandbox && { sandbox }),
    ...(podName && {
      pod: { uid: say('podUid') ?? '', name: podName, namespace: say('podNamespace') ?? '' },
    }),
  }
}
