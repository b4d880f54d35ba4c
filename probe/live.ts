/** The settings of the probe that need no restart. */

import type { Apply } from '../wire/settings/live.ts'
import type { Identifier } from './identify/identify.ts'
import type { Sources } from './identify/sources.ts'
import { type probeSettings, sendOffsetOf } from './options.ts'
import type { Publisher } from './publish/publish.ts'
import type { SendOffset } from './publish/send_offset.ts'

interface Parts {
  readonly publisher: Publisher
  readonly sendOffset: SendOffset
  readonly sources: Sources
  readonly identifier: Identifier
}

export const live = (
  { publisher, sendOffset, sources, identifier }: Parts,
  interval: number,
): Apply<typeof probeSettings> => ({
  queueSize: bytes => publisher.limit(bytes),
  sendOffset: seconds => {
    sendOffset.spread = sendOffsetOf({ sendOffset: seconds, interval })
  },
  label: labels => {
    sources.withLabels = labels.length > 0
    identifier.want(labels)
  },
})
