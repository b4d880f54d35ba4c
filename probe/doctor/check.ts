/** What a check gets and returns. */

import type { NatsAccess } from '../../wire/nats/connect.ts'
import type { Places } from '../identify/places.ts'
import type { Finding, Host } from '../kernel/finding.ts'

export interface InfluxAddress {
  readonly url: string
  readonly ca?: string | undefined
  readonly insecure: boolean
}

export interface Env extends Host {
  /** The BPF object of the probe. */
  readonly object: () => Promise<string>
  /** Endpoints that the probe sends to. */
  readonly collectors: readonly string[]
  /** Who the probe is for a NATS server. */
  readonly nats?: NatsAccess
  /** Where names of containers are read. */
  readonly places: Omit<Places, 'label'>
  /** The collector's unix socket. */
  readonly socket: string
  readonly influx?: readonly InfluxAddress[]
  readonly timeoutMs: number
}

type Findings = Finding | readonly Finding[]
export type Check = (env: Env) => Findings | Promise<Findings>
