/** Addresses of a pod on other networks than that of all pods, as Multus writes them on it. */

import { elements, texts } from '../json.ts'

const NETWORKS = 'k8s.v1.cni.cncf.io/network-status'

/** `[{"name":…,"ips":["172.20.0.5"],"default":true},…]`; the default one's are in the pod's status. */
export function networkAddresses(annotations: Readonly<Record<string, string>>): string[] {
  const annotation = annotations[NETWORKS]
  if (annotation === undefined) return []
  try {
    return elements(JSON.parse(annotation))
      .filter(network => network['default'] !== true)
      .flatMap(({ ips }) => texts(ips))
  } catch {
    return []
  }
}
