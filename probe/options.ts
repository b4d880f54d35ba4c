/** What the probe can be told. Defaults live here, beside their help. */

import { setting, type Values } from './settings.ts'
import { bytes, endpoint, list, oneOf, text, whole } from './settings_types.ts'

export const probeSettings = {
  collector: setting({
    type: list(endpoint()),
    fallback: ['tcp://127.0.0.1:5556'],
    value: '<endpoint>',
    list: true,
    help: 'ZeroMQ endpoint of a collector; each one gets every record',
  }),
  interval: setting({
    type: whole(1, 3600),
    fallback: 10,
    value: '<seconds>',
    help: 'length of a window; samples carry multiples of it as timestamps',
  }),
  host: setting<string | undefined>({
    type: text(),
    fallback: undefined,
    value: '<name>',
    help: "this host's name in tags; without it the kernel's host name",
  }),
  containerdState: setting({
    type: list(text()),
    fallback: ['/run/containerd', '/run/k3s/containerd', '/var/snap/microk8s/common/run/containerd'],
    value: '<directory>',
    list: true,
    help: "containerd's state directory, where the names of pods and containers are read",
  }),
  maxFlows: setting({
    type: whole(1024, 16_777_216),
    fallback: 131_072,
    value: '<number>',
    help: 'TCP connections followed at once, 288 bytes of kernel memory each; more are counted when they close',
  }),
  ringSize: setting({
    type: bytes(65_536).transform(size => 2 ** Math.ceil(Math.log2(size))),
    fallback: 8 * 2 ** 20,
    value: '<size>',
    help: 'kernel memory for closed connections that were not read yet, rounded up to a power of two',
  }),
  queueSize: setting({
    type: bytes(1_048_576),
    fallback: 64 * 2 ** 20,
    value: '<size>',
    help: 'memory for what a collector has not acknowledged; beyond it the oldest is dropped and counted',
  }),
  logLevel: setting({
    type: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    fallback: 'info',
    value: '<level>',
    help: 'log lines on standard error: debug, info, warn, error or silent',
  }),
}

export type ProbeOptions = Values<typeof probeSettings>
