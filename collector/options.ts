/** The collector's settings. Defaults live here, beside their help. */

import { z } from 'zod'
import { KEYS } from '../wire/link/key_files.ts'
import { PROBE_USER } from '../wire/link/users.ts'
import { LINK } from '../wire/settings/endpoint.ts'
import { natsSettings } from '../wire/settings/nats.ts'
import { setting, type Values } from '../wire/settings/settings.ts'
import { bytes, list, listening, NONE, oneOf, socket, some, text, whole } from '../wire/settings/types.ts'
import type { Profile } from './metrics/catalogue.ts'
import { GROUPS, type MetricGroup } from './metrics/metric.ts'
import { sinkNames, sinkSettings } from './sinks/open.ts'

/** Several words, also in one text: `flows,rtt`. */
const words = <T extends z.ZodType>(word: T) =>
  z.preprocess(
    given => [given].flat().flatMap(text => (typeof text === 'string' ? text.split(/\s*,\s*/) : [text])),
    z.array(word).min(1, { error: NONE }),
  )

export const collectorSettings = {
  listen: setting({
    type: some(listening()),
    fallback: [LINK],
    value: '<endpoint>',
    list: true,
    help: 'endpoint that probes connect to: ipc:///path on this machine, or tcp://address:port, which is encrypted and needs keys (see sockflux keys) unless ,plain is behind it; or the NATS servers between, nats://host:port+host:port; its position from 0, or ,ifid=N, is the tag ifid',
  }),
  keys: setting({
    type: text(),
    fallback: KEYS,
    value: '<directory>',
    help: "where the collector's secret key and the list of the probes' keys are, as sockflux keys makes them",
  }),
  ...natsSettings,
  linkUsers: setting<string[]>({
    type: list(text()),
    fallback: [],
    value: '<user>',
    list: true,
    help: `user, or %group, that may connect to an ipc endpoint besides root, the user of the collector and ${PROBE_USER}`,
  }),
  maxConnections: setting({
    type: whole(1, 65_536),
    fallback: 8192,
    value: '<number>',
    help: 'connections of probes at once, at most a quarter of the descriptors; one more is refused',
  }),
  socket: setting({
    type: socket(),
    fallback: '/run/sockflux/collector.sock',
    value: '<path>',
    help: 'unix socket for sockflux query and sockflux top',
  }),
  profile: setting<Profile>({
    type: oneOf('sockflux', 'ntopng'),
    fallback: 'sockflux',
    value: '<name>',
    help: "ntopng: exactly ntopng's measurements and tags, into its database, where pods of one name need hosts with an ,ifid= of their own; or sockflux: all",
  }),
  metrics: setting<MetricGroup[]>({
    type: words(oneOf(...GROUPS)),
    fallback: GROUPS.filter(group => group !== 'process'),
    value: '<group>',
    list: true,
    help: `groups of measurements that profile sockflux writes, all that are wanted, with commas between: ${GROUPS.join(', ')}`,
  }),
  maxSeries: setting({
    type: whole(10, 10_000_000),
    fallback: 10_000,
    value: '<number>',
    help: 'series of one measurement, those of hosts and programs apart; what is beyond them is folded into ~other, one per host, and counted',
  }),
  maxProcesses: setting({
    type: whole(1, 10_000),
    fallback: 20,
    value: '<number>',
    help: 'the busiest process names of a host have series of their own, the others one together, ~other',
  }),
  sink: setting<string[]>({
    type: list(oneOf(...sinkNames)),
    fallback: [],
    value: '<name>',
    list: true,
    help: `where samples go, ${sinkNames.join(' or ')}; without it ${sinkNames
      .slice(0, -1)
      .map(name => `${name} if it has an address`)
      .join(', ')}, else ${sinkNames.at(-1)}`,
  }),
  ...sinkSettings,
  spool: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<directory>',
    help: 'where samples wait on disk that a database has not stored, so that probes need not keep them; off: in memory alone; by default $STATE_DIRECTORY/spool or, if there is a /var/lib/sockflux, its spool/, else off',
  }),
  spoolSize: setting({
    type: bytes(2 ** 20),
    fallback: 2 * 2 ** 30,
    value: '<size>',
    help: 'disk for what a database has not stored; beyond it the oldest samples are dropped and counted',
  }),
  spoolAge: setting({
    type: whole(1, 876_000),
    fallback: 168,
    value: '<hours>',
    help: 'samples that waited for longer are dropped and counted',
  }),
  waitingSamples: setting({
    type: whole(1000, 100_000_000),
    fallback: 500_000,
    value: '<number>',
    help: 'samples that may wait for a sink in memory, some 50 bytes each; beyond it the oldest are dropped and counted',
  }),
  aliveFile: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<file>',
    help: 'file that is written every five seconds as long as the program goes on; a liveness check of a container looks at its age',
  }),
  logLevel: setting({
    type: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    fallback: 'info',
    value: '<level>',
    help: 'log lines on standard error: debug, info, warn, error or silent',
  }),
}

export type CollectorOptions = Values<typeof collectorSettings>
