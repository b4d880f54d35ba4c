/** What the manual says of the two programs that run as services. */

import { collectorSettings } from '../../../collector/options.ts'
import { probeSettings } from '../../../probe/options.ts'
import type { Settings } from '../../../wire/settings/settings.ts'

interface Daemon {
  readonly does: string
  readonly about: string
  readonly settings: Settings
  /** What it does before it ends. */
  readonly ends: string
  readonly files: Readonly<Record<string, string>>
}

export const PROGRAMS: Readonly<Record<string, Daemon>> = {
  probe: {
    does: 'counts the network conversations of this host',
    settings: probeSettings,
    about:
      'Attaches eBPF programs to the kernel, gives every TCP and UDP socket to its process, container and pod, and sends a window of rows to its collectors at each interval. It needs the capabilities that sockflux doctor names.',
    ends: 'hands over the window that it is in',
    files: {
      '/etc/sockflux/probe.yaml': 'Settings, see sockflux.yaml(5).',
      '/etc/sockflux/keys': 'Its secret key and the public keys of its collectors, see sockflux keys.',
      '/var/lib/sockflux-probe/spool': 'Windows that no collector has acknowledged, of the service.',
    },
  },
  collector: {
    does: 'folds what probes send and stores samples',
    settings: collectorSettings,
    about:
      'Receives the rows of probes, adds them up by container, pod, host and process, and writes samples to its sinks: InfluxDB, Prometheus or an embedded store. It needs no privilege.',
    ends: 'stores or spools what it has',
    files: {
      '/etc/sockflux/collector.yaml': 'Settings, see sockflux.yaml(5).',
      '/etc/sockflux/keys': 'Its secret key and the list of the keys of probes, see sockflux keys.',
      '/run/sockflux/link.sock': 'Where the probes of this host connect.',
      '/run/sockflux/collector.sock': 'For sockflux query, top, ledger and metrics.',
      '/var/lib/sockflux': 'The embedded store, and the spool of what a database has not stored.',
      '/var/log/sockflux': 'Where its service may write records of conversations (--flow-file).',
    },
  },
}
