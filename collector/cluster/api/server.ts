/** An API server, and what opens it: read anew for each request, because tokens and certificates are renewed. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a request needs besides its path. */
export interface Access {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** PEM. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** The name that its certificate is checked for, if it is another than the address'. */
  readonly servername?: string
}

export interface Server {
  /** For people. */
  readonly name: string
  /** What names the authority of its certificate. */
  readonly authority?: string
  /** @throws where and why it cannot be read */
  access(): Access
}

/** Kubernetes, Accessing the API from within a Pod. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * That of the cluster that this collector runs in, by its service account.
 * @throws when it runs in none
 */
export function inCluster(env: NodeJS.ProcessEnv, directory = SERVICE_ACCOUNT): Server {
  const host = env['KUBERNETES_SERVICE_HOST']
  if (!host)
    throw new Error(
      '--cluster-from api: this is no pod (KUBERNETES_SERVICE_HOST is not set): give a kubeconfig file, or a directory of manifests',
    )
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443'
  const url = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`)
  const read = (name: string) => {
    try {
      return readFileSync(join(directory, name), 'utf8')
    } catch (error) {
      throw new Error(
        `${join(directory, name)} cannot be read (${(error as NodeJS.ErrnoException).code}): give the pod automountServiceAccountToken: true`,
      )
    }
  }
  return {
    name: url.origin,
    authority: 'ca.crt of the service account',
    access: () => ({
      url,
      headers: { authorization: `Bearer ${read('token').trim()}` },
      ca: read('ca.crt'),
    }),
  }
}
