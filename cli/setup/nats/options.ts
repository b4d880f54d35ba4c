/** The settings of `sockflux setup nats`. */

import { optional } from '../../../collector/sinks/descriptor.ts'
import { DEFAULT_PARTITIONS, MAX_PARTITIONS } from '../../../wire/nats/names.ts'
import { natsSettings } from '../../../wire/settings/nats.ts'
import { setting } from '../../../wire/settings/settings.ts'
import { bytes, list, oneOfNumbers, text, whole, yesNo } from '../../../wire/settings/types.ts'

export const natsSetupSettings = {
  ...natsSettings,
  partitions: setting({
    type: whole(1, MAX_PARTITIONS),
    fallback: DEFAULT_PARTITIONS,
    value: '<number>',
    help: 'parts of the stream, each worked on by one collector; at least eight for each collector there will ever be, as it is never changed',
  }),
  replicas: setting({
    type: oneOfNumbers(1, 3, 5),
    fallback: 1,
    value: '<1|3|5>',
    help: 'copies of the stream and the buckets, on as many servers',
  }),
  lease: setting({
    type: whole(2, 300),
    fallback: 10,
    value: '<seconds>',
    help: 'time after which others take the partitions of a collector that is gone',
  }),
  maxBytes: setting({
    type: bytes(2 ** 20, 2 ** 50),
    fallback: 16 * 2 ** 30,
    value: '<size>',
    help: 'room of the stream; beyond it the oldest windows are discarded',
  }),
  maxAge: setting({
    type: whole(1, 8760),
    fallback: 24,
    value: '<hours>',
    help: 'windows are kept for so long, and can be replayed',
  }),
  duplicates: setting({
    type: whole(1, 1440),
    fallback: 15,
    value: '<minutes>',
    help: 'the same message is stored once within so many minutes',
  }),
  user: setting<string[]>({
    type: list(text().regex(/^[^=]+=U[A-Z2-7]{55}$/, 'needs HOST=KEY, the public key of its nkey (U…)')),
    fallback: [],
    value: '<host=key>',
    list: true,
    help: 'host whose probe has this public nkey: it may publish under its own name alone',
  }),
  collectorKey: setting<string[]>({
    type: list(text().regex(/^U[A-Z2-7]{55}$/, 'needs the public key of an nkey (U…)')),
    fallback: [],
    value: '<key>',
    list: true,
    variable: 'SOCKFLUX_NATS_COLLECTOR_KEY', // SOCKFLUX_COLLECTOR_KEY is a key of the probe, for tcp
    help: 'public nkey of a collector',
  }),
  adminKey: setting<string[]>({
    type: list(text().regex(/^U[A-Z2-7]{55}$/, 'needs the public key of an nkey (U…)')),
    fallback: [],
    value: '<key>',
    list: true,
    help: 'public nkey of the user who creates the stream',
  }),
  newKey: optional({
    type: text(),
    value: '<file>',
    help: 'write the seed of a new nkey to this file, with mode 0600, print its public key, and do nothing else',
  }),
  dryRun: setting({ type: yesNo(), fallback: false, help: 'print what would be done, and do nothing' }),
}
