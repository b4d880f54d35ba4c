/**
 * The answer of the collector: `ack · key`, its sinks have settled this window. The key names the run of the window, which
 * need not be the one that runs now.
 */

import { KEY, MalformedError, need, parse } from './check.ts'
import type { WindowKey } from './message.ts'
import { topicFrame, topicOf, VERSION, versionError } from './version.ts'

const ACK = 'ack'
/** The answer to a message of a version that the collector does not read. */
const REFUSED = 'refused'

/** What the answer says of a window. */
export interface Ack extends WindowKey {
  /** The collector has dropped the window for want of room: it is not stored, and will not be if it is sent again. */
  readonly lost?: true
}

/**
 * @param version of the wire that the probe speaks
 * @param isKept false: the window was dropped
 */
export const encodeAck = (
  { host, boot, probe, window }: WindowKey,
  version = VERSION,
  isKept = true,
): Buffer[] => [
  topicFrame(ACK, version),
  Buffer.from(JSON.stringify({ host, boot, probe, window, ...(!isKept && { lost: true }) })),
]

export const encodeRefused = (): Buffer[] => [topicFrame(REFUSED)]

/**
 * @throws {VersionError} when the collector speaks another version
 * @throws {MalformedError}
 */
export function decodeAck(frames: readonly Buffer[]): Ack {
  const { topic, version } = topicOf(frames[0])
  if (version !== VERSION) throw versionError(version, 'collector', 'probe')
  const [, key] = frames
  if (!key || frames.length !== 2 || topic !== ACK)
    throw new MalformedError('frames', 'not an acknowledgement')
  const json = parse(key, 'ack')
  need(json, 'ack', { ...KEY, lost: value => value === undefined || value === true })
  return json as unknown as Ack
}
