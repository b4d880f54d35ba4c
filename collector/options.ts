/** The collector's settings. Defaults live here, beside their help. */

import { KEYS } from '../wire/link/key_files.ts'
import { PROBE_USER } from '../wire/link/users.ts'
import { LINK } from '../wire/settings/endpoint.ts'
import { natsSettings } from '../wire/settings/nats.ts'
import { processSettings } from '../wire/settings/process.ts'
import { setting, type Values } from '../wire/settings/settings.ts'
import {
  address,
  bytes,
  hostTag,
  labelKeys,
  list,
  listening,
  oneOf,
  socket,
  some,
  text,
  whole,
  words,
  yesNo,
} from '../wire/settings/types.ts'
import { ipfixSettings } from './ipfix/settings/settings.ts'
import type { Profile } from './metrics/catalogue.ts'
import { GROUPS, type MetricGroup, OPT_IN } from './metrics/metric.ts'
import type { Address } from './routes.ts'
import { sinkNames, sinkSettings } from './sinks/open.ts'

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
    help: 'unix socket for the commands query, top, flows, page, ledger and metrics',
  }),
  http: setting<Address | undefined>({
    type: address(),
    fallback: undefined,
    value: '<address:port>',
    help: 'serve the page for browsers there, for example at 127.0.0.1:9470; sockflux page prints a link that opens it. With the address of --prometheus it is the same server',
  }),
  httpCertificate: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<file>',
    help: 'certificate of --http in PEM, with the intermediate ones; the server speaks TLS then',
  }),
  httpKey: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<file>',
    help: 'its private key in PEM',
  }),
  httpName: setting<string[]>({
    type: list(hostTag()),
    fallback: [],
    value: '<name>',
    list: true,
    help: 'name that browsers call the page by, besides localhost and the name of this machine: that of a proxy which speaks TLS, or of the certificate',
  }),
  profile: setting<Profile>({
    type: oneOf('sockflux', 'ntopng'),
    fallback: 'sockflux',
    value: '<name>',
    help: "ntopng: exactly ntopng's measurements and tags, into its database, where pods of one name need hosts with an ,ifid= of their own; or sockflux: all",
  }),
  metrics: setting<MetricGroup[]>({
    type: words(oneOf(...GROUPS)),
    fallback: GROUPS.filter(group => !OPT_IN.includes(group)),
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
  flows: setting({
    type: yesNo(),
    fallback: false,
    help: 'keep a record of each live conversation, with both ends: who talks to whom',
  }),
  maxLiveFlows: setting({
    type: whole(1000, 16_000_000),
    fallback: 262_144,
    value: '<number>',
    help: 'live flows that are kept with --flows, at most 300 bytes each: a conversation has one for each of its ends that is watched; one more is refused and counted',
  }),
  clusterFrom: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<source>',
    help: 'where facts of a Kubernetes cluster come from (pods, Services, nodes, what made a pod): api, in a pod with a service account; a kubeconfig file; or a directory of manifests, which is read again when it changes',
  }),
  clusterLabel: setting<string[]>({
    type: labelKeys(),
    fallback: [],
    value: '<key>',
    list: true,
    help: 'label of pods, or else of their namespace, that is a tag of them and their containers, label_<key>, from the facts of the cluster; those of --label come from each probe',
  }),
  subnets: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<file>',
    help: 'names of address ranges: a file of YAML or JSON with a list of name and cidrs, or with subnetLabels and customLabels',
  }),
  subnetMatch: setting<'first' | 'longest'>({
    type: oneOf('first', 'longest'),
    fallback: 'first',
    value: '<rule>',
    help: 'of ranges that overlap: first, in the order of the file, or longest, the smallest range',
  }),
  ...ipfixSettings,
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
    help: 'samples that may wait for a sink in memory, some 50 bytes each (a record of a conversation counts as 59); beyond it the oldest are dropped and counted',
  }),
  ...processSettings,
}

export type CollectorOptions = Values<typeof collectorSettings>
