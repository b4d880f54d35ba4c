/** The settings of the probe, with their defaults and help. */

import { cpus } from 'node:os'
import { COLLECTOR_PUBLIC, KEYS } from '../wire/link/key_files.ts'
import { COLLECTOR_USER } from '../wire/link/users.ts'
import { LINK } from '../wire/settings/endpoint.ts'
import { natsSettings } from '../wire/settings/nats.ts'
import { processSettings } from '../wire/settings/process.ts'
import { setting, type Values } from '../wire/settings/settings.ts'
import {
  bytes,
  endpoint,
  hostTag,
  labelKeys,
  list,
  oneOf,
  oneOfOrNo,
  socket,
  some,
  text,
  whole,
  words,
  yesNo,
} from '../wire/settings/types.ts'

import { HEALTH_DEFAULT, HEALTH_GROUPS, type HealthGroup } from './signals/health_groups.ts'

const MIB = 2 ** 20
const HOUR_MS = 3_600_000
/** Room for the connections that all CPUs can close while the probe reads a report. */
const ringBytes = (cores: number): number =>
  2 ** Math.ceil(Math.log2(Math.min(Math.max(2 * cores, 4), 64))) * MIB

export const probeSettings = {
  collector: setting({
    type: some(endpoint()),
    fallback: [LINK],
    value: '<endpoint>',
    list: true,
    help: 'endpoint of a collector: ipc:///path on this machine, or tcp://host:port, which is encrypted and needs keys (see sockflux keys) unless ,plain is behind it; or the NATS servers between, nats://host:port+host:port',
  }),
  sendTo: setting<'all' | 'one'>({
    type: oneOf('all', 'one'),
    fallback: 'all',
    value: '<which>',
    help: "all: each collector gets every record; one: only this host's own, chosen by its name, or the next in rank while that is unavailable",
  }),
  interval: setting({
    type: whole(1, 3600),
    fallback: 10,
    value: '<seconds>',
    help: 'length of a window; samples carry multiples of it as timestamps',
  }),
  sendOffset: setting<number | undefined>({
    former: 'spread',
    type: whole(0, 3600),
    fallback: undefined,
    value: '<seconds>',
    help: 'each host begins to send at its own offset within so many seconds after the end of a window, so that a collector does not hold the windows of all hosts at once; by default a fifth of the interval, at most half of it',
  }),
  host: setting<string | undefined>({
    type: hostTag(),
    fallback: undefined,
    env: ['NODE_NAME'], // a pod's own host name is the pod's
    value: '<name>',
    help: "this host's name in tags; without it the kernel's host name",
  }),
  keys: setting({
    type: text(),
    fallback: KEYS,
    value: '<directory>',
    help: "where the probe's secret key and the collectors' public keys are, as sockflux keys makes them",
  }),
  collectorKey: setting<string[]>({
    type: list(text()),
    fallback: [],
    value: '<key>',
    list: true,
    help: `public key of a collector, or a file of such keys; the probe talks to who has one of them; by default those in ${COLLECTOR_PUBLIC} beside its own`,
  }),
  ...natsSettings,
  linkUsers: setting<string[]>({
    type: list(text()),
    fallback: [],
    value: '<user>',
    list: true,
    help: `user whose socket the probe trusts at an ipc endpoint, besides root, its own and ${COLLECTOR_USER}`,
  }),
  containerdState: setting({
    type: list(text()),
    fallback: [
      '/run/containerd',
      '/run/docker/containerd/daemon',
      '/run/k3s/containerd',
      '/var/snap/microk8s/common/run/containerd',
      '/run/snap.docker/containerd/daemon',
      '/run/k0s/containerd',
      '/run/user/*/docker/containerd/daemon',
      '/run/user/*/containerd',
    ],
    value: '<directory>',
    list: true,
    help: "containerd's state directory, where the names of pods and containers are read; * stands for one directory",
  }),
  ociState: setting({
    type: list(text()),
    fallback: ['/run/runc', '/run/crun', '/run/user/*/runc', '/run/user/*/crun'],
    value: '<directory>',
    list: true,
    help: 'where runc or crun keeps the state of containers for podman and CRI-O; * stands for one directory',
  }),
  dockerRoot: setting({
    type: list(text()),
    fallback: ['/var/lib/docker', '/var/snap/docker/common/var-lib-docker'],
    value: '<directory>',
    list: true,
    help: "Docker's data root, where the names of its containers are read; * stands for one directory",
  }),
  kubeletLogs: setting({
    type: list(text()),
    fallback: ['/var/log'],
    value: '<directory>',
    list: true,
    help: 'where kubelet has pods/ and containers/; names are read from the names of their entries',
  }),
  criSocket: setting({
    type: list(socket()),
    fallback: [
      '/run/containerd/containerd.sock',
      '/run/crio/crio.sock',
      '/run/k3s/containerd/containerd.sock',
      '/run/cri-dockerd.sock',
      '/run/k0s/containerd.sock',
    ],
    value: '<socket>',
    list: true,
    help: 'socket of a CRI runtime, asked for what is not on disk',
  }),
  dockerSocket: setting({
    type: list(socket()),
    fallback: ['/run/docker.sock', '/run/user/*/docker.sock'],
    value: '<socket>',
    list: true,
    help: 'socket of the Docker API, asked for what is not on disk; * stands for one directory',
  }),
  podmanSocket: setting({
    type: list(socket()),
    fallback: ['/run/podman/podman.sock', '/run/user/*/podman/podman.sock'],
    value: '<socket>',
    list: true,
    help: 'socket of the podman API, asked for what is not on disk; * stands for one directory',
  }),
  label: setting({
    type: labelKeys(),
    fallback: [],
    value: '<key>',
    list: true,
    help: 'label of containers and pods that becomes the tag label_<key>; each value makes series of its own',
  }),
  maxFlows: setting({
    type: whole(1024, 16_777_216),
    fallback: 131_072,
    value: '<number>',
    help: 'TCP connections followed at once, 472 bytes of kernel memory each, taken as they are needed; more are counted when they close',
  }),
  udp: setting<'calls' | 'packets' | 'off'>({
    type: oneOfOrNo('calls', 'packets', 'off'),
    fallback: 'calls',
    value: '[where]',
    no: true,
    help: 'where UDP is counted: calls: as programs send and receive it, since Linux 6.3; packets: in every packet of the host; off: not at all',
  }),
  maxUdpFlows: setting({
    type: whole(1024, 16_777_216),
    fallback: 65_536,
    value: '<number>',
    help: 'UDP conversations followed at once, 336 bytes of kernel memory each, taken as they are needed; beyond it the one that was silent for longest is dropped, and counted',
  }),
  rtt: setting<'calls' | 'samples' | 'smoothed'>({
    type: oneOf('calls', 'samples', 'smoothed'),
    fallback: 'calls',
    value: '<what>',
    help: "what distributions are made of: calls: every RTT sample that can be found when programs send and receive, all but those of bulk transfers and MPTCP, which count with the kernel's smoothed times; samples: of these, too, for a program run at each received segment; smoothed: the kernel's smoothed times only",
  }),
  health: setting<HealthGroup[]>({
    type: words(oneOf(...HEALTH_GROUPS, 'none')).transform(groups =>
      groups.filter(group => group !== 'none'),
    ),
    fallback: [...HEALTH_DEFAULT],
    value: '<group>',
    list: true,
    help: `what is read of TCP sockets to say why they are slow, all that are wanted, with commas between: ${HEALTH_GROUPS.join(', ')}, or none; the others than the default read further cache lines of each socket, and throughput sends rows of their own for flows in motion`,
  }),
  fold: setting({
    type: yesNo(),
    fallback: false,
    help: 'send sums and distributions per cgroup instead of flows: the samples are the same, but of processes (process:*, sockflux top) there are none',
  }),
  ringSize: setting({
    type: bytes(65_536, 2 ** 30).transform(size => 2 ** Math.ceil(Math.log2(size))),
    fallback: ringBytes(cpus().length),
    ofMachine: true,
    value: '<size>',
    help: 'kernel memory for closed connections that were not read yet, rounded up to a power of two; by default 2 MiB a CPU, 4 to 64 MiB',
  }),
  queueSize: setting({
    type: bytes(1_048_576),
    fallback: 64 * MIB,
    value: '<size>',
    help: 'memory for windows that a collector has not acknowledged; beyond it they are on disk alone (see spool), or the oldest are dropped and counted',
  }),
  spool: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<directory>',
    help: 'directory for windows that a collector has not acknowledged, which are sent after an outage or a restart; off: in memory alone; by default $STATE_DIRECTORY/spool or, if there is a /var/lib/sockflux, its spool/, else off',
  }),
  spoolSize: setting({
    type: bytes(1_048_576),
    fallback: 256 * MIB,
    value: '<size>',
    help: 'disk for the spool of each collector; beyond it the oldest windows are dropped and counted',
  }),
  spoolAge: setting({
    type: whole(1, 8760),
    fallback: 24,
    value: '<hours>',
    help: 'windows that have waited longer in the spool are dropped and counted',
  }),
  ...processSettings,
}

export type ProbeOptions = Values<typeof probeSettings>

/** The settings of the kernel side. */
export const kernelOptions = ({ maxFlows, maxUdpFlows, ringSize, udp, rtt, health }: ProbeOptions) => ({
  maxFlows,
  maxUdpFlows,
  ringBytes: ringSize,
  udp,
  rtt,
  health,
})

/** Seconds over which the hosts are spread. */
export const sendOffsetOf = ({ sendOffset, interval }: Pick<ProbeOptions, 'sendOffset' | 'interval'>) =>
  sendOffset ?? interval / 5

/** The settings of the publisher. */
export const publisherOptions = ({
  collector,
  sendTo,
  queueSize,
  spool,
  spoolSize,
  spoolAge,
  ...trust
}: ProbeOptions) => ({
  collectors: collector,
  sendTo,
  trust,
  queueBytes: queueSize,
  spool: { directory: spool, bytes: spoolSize, ageMs: spoolAge * HOUR_MS },
})
